// Draws a chain from the JSON in its page. The table below it says the same in words, so that the
// drawing is hidden from screen readers.
"use strict";
(() => {
  const svgNS = "http://www.w3.org/2000/svg";
  const make = (name, attributes = {}, ...content) => {
    const el = document.createElementNS(svgNS, name);
    for (const [k, v] of Object.entries(attributes)) el.setAttribute(k, v);
    el.append(...content);
    return el;
  };
  const measure = document.createElement("canvas").getContext("2d");
  const width = (text, font) => {
    measure.font = font;
    return measure.measureText(text).width;
  };
  const nameFont = "600 14px system-ui, sans-serif";
  const textFont = "12px system-ui, sans-serif";
  const nodeHeight = 58;
  const widest = 250;
  const narrow = 168;

  const fit = (text, font, most) => {
    if (width(text, font) <= most) return text;
    let short = text;
    while (short.length > 1 && width(short + "…", font) > most) short = short.slice(0, -1);
    return short + "…";
  };

  const nodeWidth = (n, most) =>
    Math.min(most, Math.max(124, 44 + Math.max(width(n.id, nameFont), width(n.word || n.stage, textFont), width(n.job, textFont))));

  // An edge says what is not usual about it. The layout leaves room for the words.
  const labelOf = (e) => {
    const label = [e.on === "success" ? "" : "on " + e.on, e.value === "unknown" || e.value === "never" ? e.value : ""].filter(Boolean).join(", ");
    return label ? { label, width: width(label, textFont) + 14, height: 16, labelpos: "c" } : {};
  };

  const layout = (data, down) => {
    const g = new dagre.graphlib.Graph();
    g.setGraph({ rankdir: down ? "TB" : "LR", nodesep: down ? 22 : 18, ranksep: down ? 34 : 48, marginx: 6, marginy: 6 });
    g.setDefaultEdgeLabel(() => ({}));
    for (const n of data.nodes) g.setNode(n.id, { ...n, width: nodeWidth(n, down ? narrow : widest), height: nodeHeight });
    for (const e of data.edges) if (g.hasNode(e.from) && g.hasNode(e.to)) g.setEdge(e.from, e.to, { ...e, ...labelOf(e) });
    dagre.layout(g);
    return g;
  };

  // A smooth line through the points of an edge.
  const path = (points) => {
    let d = `M${points[0].x},${points[0].y}`;
    for (let i = 1; i < points.length - 1; i++) {
      const p = points[i];
      const q = points[i + 1];
      const end = i === points.length - 2 ? q : { x: (p.x + q.x) / 2, y: (p.y + q.y) / 2 };
      d += ` Q${p.x},${p.y} ${end.x},${end.y}`;
    }
    if (points.length === 2) d += ` L${points[1].x},${points[1].y}`;
    return d;
  };

  const arrow = (points) => {
    const b = points[points.length - 1];
    const a = points[points.length - 2];
    const angle = (Math.atan2(b.y - a.y, b.x - a.x) * 180) / Math.PI;
    return make("path", { d: "M0,0 L-9,-4.5 L-9,4.5 z", transform: `translate(${b.x},${b.y}) rotate(${angle})` });
  };

  const drawEdge = (e) => {
    const kind = (e.value || "plain").replaceAll(" ", "-");
    const group = make("g", { class: "edge e-" + kind }, make("path", { class: "line", d: path(e.points) }), arrow(e.points));
    if (e.label) group.append(make("text", { class: "label", x: e.x, y: e.y + 4, "text-anchor": "middle" }, e.label));
    return group;
  };

  const drawNode = (n) => {
    const left = n.x - n.width / 2;
    const top = n.y - n.height / 2;
    const room = n.width - 20;
    const link = make("a", { href: n.url, class: "node s-" + (n.state || "plain"), tabindex: "-1" });
    link.append(
      make("title", {}, [n.id, n.word, n.job, n.stage].filter(Boolean).join(" · ")),
      make("rect", { x: left, y: top, width: n.width, height: n.height, rx: 5 }),
      make("rect", { class: "side", x: left, y: top, width: 4, height: n.height, rx: 2 }),
    );
    let x = left + 14;
    if (n.state) {
      link.append(make("use", { href: "#s-" + n.state, x, y: top + 8, width: 15, height: 15, class: "shape" }));
      x += 22;
    }
    link.append(
      make("text", { class: "name", x, y: top + 20 }, fit(n.id, nameFont, left + n.width - x - 8)),
      make("text", { class: "word", x: left + 14, y: top + 36 }, fit(n.word || n.stage, textFont, room)),
      make("text", { class: "job", x: left + 14, y: top + 51 }, fit(n.job, textFont, room)),
    );
    return link;
  };

  let drawn = "";
  const draw = () => {
    const figure = document.getElementById("graph");
    const source = document.getElementById("graph-data");
    if (!figure || !source) return;
    const data = JSON.parse(source.textContent);
    if (data.nodes.length === 0) return;
    figure.hidden = false;
    const down = figure.clientWidth < 640;
    const mark = source.textContent + down;
    if (mark === drawn) return;
    drawn = mark;
    const g = layout(data, down);
    const size = g.graph();
    const svg = make("svg", { viewBox: `0 0 ${size.width} ${size.height}`, width: size.width, height: size.height, focusable: "false" });
    svg.style.minWidth = size.width * 0.8 + "px"; // below that it scrolls: small text helps nobody
    for (const e of g.edges()) svg.append(drawEdge(g.edge(e)));
    for (const id of g.nodes()) svg.append(drawNode(g.node(id)));
    figure.querySelector(".canvas").replaceChildren(svg);
  };

  let planned = 0;
  const soon = () => {
    cancelAnimationFrame(planned);
    planned = requestAnimationFrame(draw);
  };
  draw();
  document.addEventListener("signalbox:changed", soon);
  window.addEventListener("resize", soon);
})();
