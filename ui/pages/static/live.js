// Keeps a page live: hears of changes on a stream, reads the page's main part again and takes over
// what differs, without losing focus, scroll position, open forms or typed text.
"use strict";
(() => {
  const main = document.getElementById("main");
  const link = document.getElementById("link");
  const announcer = document.getElementById("announce");
  // Where the main part is read from. What was just done stays in it; the address bar forgets it.
  const source = new URL(location.href);
  if (source.searchParams.has("done")) {
    const clean = new URL(location.href);
    clean.searchParams.delete("done");
    history.replaceState(null, "", clean);
  }
  source.searchParams.set("fragment", "1");
  source.hash = "";

  // ---- taking over what differs

  const keyOf = (node) => (node.nodeType === Node.ELEMENT_NODE ? node.dataset?.key || node.id || "" : "");
  const kept = (el) => el.hasAttribute("data-keep") && (el.tagName !== "DETAILS" || el.open);

  const attributes = (from, to) => {
    for (const { name } of [...from.attributes]) {
      if (!to.hasAttribute(name) && !(from.tagName === "DETAILS" && name === "open")) from.removeAttribute(name);
    }
    for (const { name, value } of to.attributes) {
      if (from.getAttribute(name) === value) continue;
      if (name === "class" && from.classList.contains("chip")) from.closest("tr, li")?.classList.add("changed");
      from.setAttribute(name, value);
    }
  };

  const morph = (from, to) => {
    if (from.nodeType !== Node.ELEMENT_NODE) {
      if (from.nodeValue !== to.nodeValue) from.nodeValue = to.nodeValue;
      return;
    }
    if (kept(from)) return;
    if (from.id === "graph") return; // graph.js draws it
    if (from.tagName === "TIME" && from.dateTime === to.dateTime) return; // time.js has its text
    attributes(from, to);
    children(from, to);
  };

  const children = (from, to) => {
    const keyed = new Map();
    for (const child of from.childNodes) if (keyOf(child)) keyed.set(keyOf(child), child);
    let at = from.firstChild;
    for (const next of [...to.childNodes]) {
      const key = keyOf(next);
      let match = null;
      if (key) match = keyed.get(key);
      else if (at && !keyOf(at) && at.nodeName === next.nodeName) match = at;
      if (!match || match.nodeName !== next.nodeName) {
        from.insertBefore(document.importNode(next, true), at);
        continue;
      }
      if (match === at) at = at.nextSibling;
      else from.insertBefore(match, at);
      morph(match, next);
    }
    while (at) {
      const gone = at;
      at = at.nextSibling;
      gone.remove();
    }
  };

  const take = (html) => {
    const next = new DOMParser().parseFromString(html, "text/html").querySelector("main");
    if (!next) return;
    const focused = document.activeElement;
    const said = main.dataset.announce;
    morph(main, next);
    if (focused && focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
    document.title = main.dataset.title;
    if (main.dataset.announce !== said) announcer.textContent = main.dataset.announce;
    document.dispatchEvent(new Event("signalbox:changed"));
  };

  // ---- reading again: at most one request at a time, and always one after the last change

  const pause = 150; // gathers what belongs together
  let dirty = false;
  let reading = false;
  let timer = 0;

  const read = async () => {
    timer = 0;
    if (!dirty || reading || document.hidden) return;
    dirty = false;
    reading = true;
    try {
      const answer = await fetch(source, { headers: { Accept: "text/html" } });
      if (answer.status === 401 || answer.redirected) location.reload(); // the session ended
      else if (answer.ok) take(await answer.text());
    } catch {
      // The stream shows that the line is broken, and asks for everything once it is back.
    }
    reading = false;
    if (dirty) plan();
  };
  const plan = () => {
    dirty = true;
    if (!timer) timer = setTimeout(read, pause);
  };
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && dirty) plan();
  });
  if (Number(main.dataset.refresh) > 0) {
    setInterval(() => {
      if (!document.hidden) plan();
    }, Number(main.dataset.refresh) * 1000);
  }

  // ---- the stream

  const show = (state, text) => {
    link.hidden = false;
    link.dataset.state = state;
    if (link.textContent !== text) link.textContent = text;
  };
  const topics = (main.dataset.live || "").split("\n").filter(Boolean);
  const concerns = (kind, id) => topics.includes(kind) || topics.includes(kind + ":" + id);

  let stream = null;
  let wait = 2000;
  const connect = (since) => {
    stream = new EventSource("/api/v1/stream" + (since === "" ? "" : "?since=" + encodeURIComponent(since)));
    stream.addEventListener("open", () => {
      wait = 2000;
      show("live", "Live");
    });
    stream.addEventListener("reset", plan);
    for (const kind of ["instance", "run", "source", "chain"]) {
      stream.addEventListener(kind, (e) => {
        if (concerns(kind, JSON.parse(e.data).id || "")) plan();
      });
    }
    stream.addEventListener("error", () => {
      show("lost", "Not live: what is shown may be old");
      if (stream.readyState !== EventSource.CLOSED) return; // the browser connects again by itself
      // Connected again by hand, the stream cannot know what was missed: everything is read again.
      setTimeout(() => connect("0"), wait);
      wait = Math.min(wait * 2, 30000);
    });
  };
  if (topics.length > 0) connect(main.dataset.seq);
  window.addEventListener("pagehide", () => stream?.close());
  window.addEventListener("pageshow", (e) => {
    if (e.persisted && topics.length > 0) {
      connect("0");
      plan();
    }
  });

  // ---- parts that take long, such as a log: read once the page is there

  for (const part of document.querySelectorAll("[data-load]")) {
    const url = new URL(part.dataset.load, location.href);
    url.searchParams.set("fragment", "1");
    const refresh = document.createElement("button");
    refresh.type = "button";
    refresh.textContent = "Read it again";
    const load = async () => {
      refresh.disabled = true;
      part.setAttribute("aria-busy", "true");
      try {
        const answer = await fetch(url);
        const body = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("#log-tail, .box");
        if (body) part.replaceChildren(...body.childNodes);
        const log = part.querySelector("pre");
        if (log) log.scrollTop = log.scrollHeight;
      } catch {
        part.replaceChildren("The log could not be read: the line to Signalbox is broken.");
      }
      part.removeAttribute("aria-busy");
      refresh.disabled = false;
      part.append(refresh);
    };
    refresh.addEventListener("click", load);
    load();
  }

  document.addEventListener("animationend", (e) => e.target.classList?.remove("changed"));
})();
