// The theme: the system's, unless this browser was told another. Runs before the page is drawn.
"use strict";
(() => {
  const key = "signalbox-theme";
  const themes = ["auto", "dark", "light"];
  const read = () => {
    try {
      const t = localStorage.getItem(key);
      return themes.includes(t) ? t : "auto";
    } catch {
      return "auto"; // no storage: the system's
    }
  };
  let theme = read();
  const apply = () => {
    document.documentElement.dataset.theme = theme;
    const button = document.getElementById("theme");
    if (button) {
      button.hidden = false;
      button.textContent = "Theme: " + theme;
    }
  };
  apply();
  document.addEventListener("DOMContentLoaded", () => {
    apply();
    document.getElementById("theme").addEventListener("click", () => {
      theme = themes[(themes.indexOf(theme) + 1) % themes.length];
      try {
        localStorage.setItem(key, theme);
      } catch {
        // not kept: it holds for this page
      }
      apply();
    });
  });
})();
