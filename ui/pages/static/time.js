// Times: "2 s ago" keeps ticking, by the server's clock; clock times can be shown in UTC or local time.
"use strict";
(() => {
  const key = "signalbox-zone";
  const now = document.querySelector("#now time");
  // The server's clock minus this browser's, as of when the page was drawn.
  const offset = now ? Date.parse(now.dateTime) - Date.now() : 0;
  let local = false;
  try {
    local = localStorage.getItem(key) === "local";
  } catch {
    // no storage: UTC
  }

  const pad = (n) => String(n).padStart(2, "0");

  // The same rules as when.go.
  const span = (s) => {
    if (s < 60) return `${s} s`;
    if (s < 3600) return `${Math.floor(s / 60)} min`;
    if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
    return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
  };
  const ago = (ms) => {
    if (Math.abs(ms) < 1000) return "now";
    return ms < 0 ? "in " + span(Math.floor(-ms / 1000)) : span(Math.floor(ms / 1000)) + " ago";
  };
  const clock = (at, reference) => {
    const far = Math.abs(reference - at) > 12 * 3600e3;
    const d = new Date(at);
    const [date, time] = local
      ? [`${d.getFullYear()}-${pad(d.getMonth() + 1)}-${pad(d.getDate())}`, `${pad(d.getHours())}:${pad(d.getMinutes())}:${pad(d.getSeconds())}`]
      : [d.toISOString().slice(0, 10), d.toISOString().slice(11, 19)];
    return far ? `${date} ${time}` : time;
  };
  const set = (el, text) => {
    if (el.textContent !== text) el.textContent = text;
  };

  const draw = () => {
    const t = Date.now() + offset;
    if (now) now.dateTime = new Date(t).toISOString();
    for (const el of document.querySelectorAll("time[data-ago]")) set(el, ago(t - Date.parse(el.dateTime)));
    for (const el of document.querySelectorAll("time[data-clock]")) set(el, clock(Date.parse(el.dateTime), t));
  };

  const zone = document.getElementById("zone");
  const label = () => {
    const name = local ? Intl.DateTimeFormat().resolvedOptions().timeZone : "UTC";
    zone.hidden = false;
    zone.textContent = local ? "Show UTC" : "Show local time";
    set(document.querySelector("#now .zone"), name);
    set(document.getElementById("zonename"), name);
  };
  zone.addEventListener("click", () => {
    local = !local;
    try {
      localStorage.setItem(key, local ? "local" : "utc");
    } catch {
      // not kept: it holds for this page
    }
    label();
    draw();
  });

  label();
  draw();
  setInterval(() => {
    if (!document.hidden) draw();
  }, 1000);
  document.addEventListener("visibilitychange", draw);
  document.addEventListener("signalbox:changed", draw);
})();
