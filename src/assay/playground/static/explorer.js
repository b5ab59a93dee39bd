// The explorer in the browser: the plot with hovering, opening and boxes to look closer; forms that change the page in
// place; completion of expressions. Every step changes the address, and every address works without this script.
(() => {
  "use strict";

  // ---- the plot

  let shown = null;

  function rows(columns) {
    const names = Object.keys(columns);
    const count = names.length ? columns[names[0]].length : 0;
    const found = new Array(count);
    for (let i = 0; i < count; i += 1) {
      const row = { i };
      for (const name of names) row[name] = columns[name][i];
      found[i] = row;
    }
    return found;
  }

  async function plot(figure) {
    const canvas = figure.querySelector(".canvas");
    const address = figure.dataset.view;
    figure.classList.add("waiting");
    try {
      const inline = figure.querySelector("script.inline");
      const answer = inline ? { ok: true } : await fetch(address, { headers: { accept: "application/json" } });
      const data = inline ? JSON.parse(inline.textContent) : await answer.json();
      if (figure.dataset.view !== address) return;
      if (!answer.ok) throw new Error(data.what ? `${data.what}${data.hint ? ` – ${data.hint}` : ""}` : answer.statusText);
      if (data.shown) await draw(figure, data);
      else nothing(figure, data);
      const note = document.getElementById("plot-note");
      note.textContent = [counted(data), ...data.notes].join(" · ");
      const pointed = figure.querySelector(".tip");
      if (pointed) pointed.hidden = !data.shown || !data.points.uid;
      figure.dataset.drawn = "yes";
    } catch (error) {
      canvas.textContent = `The plot cannot be drawn: ${error.message}`;
      figure.dataset.drawn = "no";
    } finally {
      figure.classList.remove("waiting");
    }
  }

  function counted(data) {
    const shown = data.shown.toLocaleString("en"), total = data.total.toLocaleString("en");
    if (data.mark === "box") return `${total} results in ${shown} ${data.shown === 1 ? "box" : "boxes"}`;
    if (data.mark === "heat") return `${total} results in ${shown} ${data.shown === 1 ? "field" : "fields"}`;
    if (data.mark === "line") return `the best ${shown} of ${total} results with these figures`;
    return `${shown} of ${total} results with these figures`;
  }

  // A plot without points would be axes of nothing.
  function nothing(figure, data) {
    const words = ["x", "y"].map((name) => data.channels[name]?.title).filter(Boolean).join(" and ");
    const line = document.createElement("p");
    line.className = "empty";
    line.textContent = `None of the ${data.total.toLocaleString("en")} results has ${words}: choose another figure.`;
    figure.querySelector(".canvas").replaceChildren(line);
    shown = null;
  }

  // What is too wide for a phone: legends beside the plot, names before the bars, several small plots in a row.
  function fit(spec, width) {
    const narrow = width < 560;
    if (narrow && spec.config) spec.config = { ...spec.config, legend: { orient: "bottom", columns: 2, labelLimit: width * 0.36 } };
    if (spec.facet) {
      spec.columns = Math.max(1, Math.min(3, Math.floor((width - (narrow ? 0 : 110)) / 320)));
      if (narrow) spec.spec = { ...spec.spec, width: width - 110 };
    } else if (narrow && shownAs(spec) === "bar") {
      spec.layer = spec.layer.map((layer) => ({ ...layer, encoding: { ...layer.encoding, y: { ...layer.encoding.y, axis: { ...layer.encoding.y?.axis, labelLimit: width * 0.4 } } } }));
    }
  }

  function shownAs(spec) {
    return spec.layer?.[0]?.mark?.type;
  }

  async function draw(figure, data) {
    const values = rows(data.points);
    const spec = { ...data.spec, datasets: { points: values } };
    fit(spec, figure.clientWidth);
    const result = await window.assayChart.embed(figure, spec);
    shown = { figure, data, values, view: result.view, dots: null };
    // Positions are asked for when somebody points at the plot for the first time.
    watch(figure);
  }

  // Every drawn point with its place on the canvas, sorted into squares.
  function dots() {
    if (shown.dots) return shown.dots;
    const found = [];
    const origin = shown.view.origin();
    const walk = (item, x, y) => {
      if (item.items) {
        for (const child of item.items) {
          if (item.marktype === "group") {
            walk(child, x + (child.x || 0), y + (child.y || 0));
          } else if ((item.marktype === "symbol" || item.marktype === "rect") && item.role === "mark" && child.datum && child.datum.uid) {
            // A bar with round corners stands in a group of its own, at its corner.
            const bar = item.marktype === "rect", left = x + (child.x || 0), top = y + (child.y || 0);
            found.push({ x: left + (bar ? child.width || 0 : 0), y: top + (bar ? (child.height || 0) / 2 : 0), bar, left, datum: child.datum, group: item.group });
          } else if (child.items) {
            walk(child, x, y);
          }
        }
      }
    };
    walk(shown.view.scenegraph().root, origin[0], origin[1]);
    const size = 24, squares = new Map();
    for (const dot of found) {
      const key = `${Math.floor(dot.x / size)},${Math.floor(dot.y / size)}`;
      if (!squares.has(key)) squares.set(key, []);
      squares.get(key).push(dot);
    }
    shown.dots = { all: found, squares, size };
    return shown.dots;
  }

  function nearest(x, y) {
    const { squares, size, all } = dots();
    if (all.length && all[0].bar) {
      return all.find((dot) => Math.abs(dot.y - y) <= 11 && x >= dot.left - 420) ?? null;
    }
    let best = null, least = 15 * 15;
    const cx = Math.floor(x / size), cy = Math.floor(y / size);
    for (let i = cx - 1; i <= cx + 1; i += 1) {
      for (let j = cy - 1; j <= cy + 1; j += 1) {
        for (const dot of squares.get(`${i},${j}`) ?? []) {
          const distance = (dot.x - x) ** 2 + (dot.y - y) ** 2;
          if (distance < least) { best = dot; least = distance; }
        }
      }
    }
    return best;
  }

  function number(value) {
    if (typeof value !== "number") return value;
    return Math.abs(value) >= 1000 ? value.toLocaleString("en", { maximumFractionDigits: 0 }) : Number(value.toPrecision(4)).toString();
  }

  function tip(figure) {
    let box = figure.querySelector(".tooltip");
    if (!box) {
      box = document.createElement("div");
      box.className = "tooltip";
      box.hidden = true;
      figure.append(box);
    }
    return box;
  }

  function tell(figure, dot, x, y) {
    const box = tip(figure);
    box.hidden = !dot;
    if (!dot) return;
    const datum = dot.datum, lines = [];
    const line = (name, value, strong = false) => { if (value !== null && value !== undefined && value !== "") lines.push([name, value, strong]); };
    line("", [datum.accelerator, datum.system].filter(Boolean).join(" · "), true);
    line("by", datum.organisation);
    line("", [datum.round, datum.benchmark, datum.scenario].filter(Boolean).join(" · "));
    for (const [name, channel] of Object.entries(shown.data.channels)) {
      const value = datum[name];
      if (value !== undefined && value !== null) line(channel.title, `${number(value)} ${channel.unit}`.trim());
    }
    if (datum.low !== null && datum.low !== undefined && datum.low !== datum.high) line("repeated", `${number(datum.low)} to ${number(datum.high)}`);
    if (datum.status && datum.status !== "measured") line("", datum.status);
    box.replaceChildren(...lines.map(([name, value, strong]) => {
      const p = document.createElement("p");
      if (name) { const b = document.createElement("span"); b.textContent = `${name} `; p.append(b); }
      const text = document.createElement(strong ? "strong" : "span");
      text.className = "value"; text.textContent = value; p.append(text);
      return p;
    }));
    const width = figure.clientWidth;
    box.style.left = `${Math.max(4, Math.min(x + 16, width - box.offsetWidth - 8))}px`;
    box.style.top = `${Math.max(4, y - box.offsetHeight - 12)}px`;
  }

  function place(figure, event) {
    const canvas = figure.querySelector("canvas");
    const box = canvas.getBoundingClientRect(), outer = figure.getBoundingClientRect();
    // The canvas may be shown smaller than it is drawn.
    const scale = canvas.width / (window.devicePixelRatio || 1) / box.width || 1;
    return { x: (event.clientX - box.left) * scale, y: (event.clientY - box.top) * scale, left: event.clientX - outer.left, top: event.clientY - outer.top, scale };
  }

  function watch(figure) {
    if (figure.dataset.watched) return;
    figure.dataset.watched = "yes";
    const canvas = figure.querySelector(".canvas");
    let start = null, box = null, brushed = false;
    canvas.addEventListener("pointermove", (event) => {
      if (!shown || !figure.querySelector("canvas")) return;
      const at = place(figure, event);
      if (start) {
        if (!box && Math.hypot(at.left - start.left, at.top - start.top) > 6) {
          box = document.createElement("div");
          box.className = "brush";
          figure.append(box);
        }
        if (box) {
          box.style.left = `${Math.min(at.left, start.left)}px`;
          box.style.top = `${Math.min(at.top, start.top)}px`;
          box.style.width = `${Math.abs(at.left - start.left)}px`;
          box.style.height = `${Math.abs(at.top - start.top)}px`;
          tell(figure, null);
          return;
        }
      }
      const dot = nearest(at.x, at.y);
      canvas.classList.toggle("pointing", Boolean(dot));
      tell(figure, dot, at.left, at.top);
    });
    canvas.addEventListener("pointerleave", () => tell(figure, null));
    canvas.addEventListener("pointerdown", (event) => {
      brushed = false;
      if (event.button !== 0 || !shown || event.pointerType === "touch") return;
      start = place(figure, event);
      canvas.setPointerCapture(event.pointerId);
      event.preventDefault();
    });
    canvas.addEventListener("pointerup", (event) => {
      const from = start, drawn = box;
      start = null; box = null;
      if (drawn) {
        brushed = true;
        drawn.remove();
        closer(from, place(figure, event));
      }
    });
    canvas.addEventListener("click", (event) => {
      // The end of a box is no click.
      if (!shown || brushed) return;
      const at = place(figure, event);
      const dot = nearest(at.x, at.y);
      if (dot) window.open(`/results/${encodeURIComponent(dot.datum.uid)}`, document.body.classList.contains("embed") || event.ctrlKey || event.metaKey ? "_blank" : "_self");
    });
  }

  // A box drawn over points becomes a condition in the filter.
  function closer(from, to) {
    const left = Math.min(from.x, to.x), right = Math.max(from.x, to.x), top = Math.min(from.y, to.y), bottom = Math.max(from.y, to.y);
    const within = dots().all.filter((dot) => dot.x >= left && dot.x <= right && dot.y >= top && dot.y <= bottom);
    const field = document.getElementById("e-filter");
    if (!within.length || !field) return;
    const parts = [];
    for (const name of ["x", "y"]) {
      const channel = shown.data.channels[name];
      if (!channel) continue;
      const values = within.map((dot) => dot.datum[name]).filter((value) => value !== null && value !== undefined);
      if (channel.kind === "number") {
        const low = outward(Math.min(...bounded(values, Math.min)), -1), high = outward(Math.max(...bounded(values, Math.max)), 1);
        parts.push(`(${channel.title}) >= ${low} and (${channel.title}) <= ${high}`);
      } else {
        const words = [...new Set(values)].slice(0, 30).map((value) => `"${String(value).replace(/\\/g, "\\\\").replace(/"/g, '\\"')}"`);
        parts.push(`(${channel.title}) in (${words.join(", ")})`);
      }
    }
    const old = field.value.trim();
    field.value = old ? `(${old}) and ${parts.join(" and ")}` : parts.join(" and ");
    field.form.requestSubmit();
  }

  // Math.min of a hundred thousand arguments is too many.
  function bounded(values, least) {
    const found = [];
    for (let i = 0; i < values.length; i += 10000) found.push(least(...values.slice(i, i + 10000)));
    return found;
  }

  // Four digits, rounded away from the points so that none is lost.
  function outward(value, direction) {
    if (value === 0) return "0";
    const step = 10 ** (Math.floor(Math.log10(Math.abs(value))) - 3);
    const rounded = direction < 0 ? Math.floor(value / step) * step : Math.ceil(value / step) * step;
    return Number(rounded.toPrecision(6)).toString();
  }

  // ---- the form: changed in place

  let asking = null;

  // A selector of what has the focus, so that it has it again when the page was changed around it.
  function whereFocusIs() {
    const each = document.activeElement, of = (name) => `[${name}="${CSS.escape(each.getAttribute(name))}"]`;
    if (each?.id) return `#${CSS.escape(each.id)}`;
    return each?.name && each.closest("#view") ? `#view ${of("name")}${each.type === "checkbox" ? of("value") : ""}` : "";
  }

  async function go(address, push = true) {
    const holder = document.getElementById("explorer");
    const focus = whereFocusIs();
    const scrolled = document.querySelector(".side")?.scrollTop ?? 0;
    asking?.abort();
    asking = new AbortController();
    holder.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(address, { headers: { accept: "text/html" }, signal: asking.signal });
      const text = await answer.text();
      const page = new DOMParser().parseFromString(text, "text/html");
      const fresh = page.getElementById("explorer");
      if (!fresh) { location.assign(address); return; }
      const open = new Set([...holder.querySelectorAll("details[id]")].filter((each) => each.open).map((each) => each.id));
      const closed = new Set([...holder.querySelectorAll("details[id]")].filter((each) => !each.open).map((each) => each.id));
      for (const each of fresh.querySelectorAll("details[id]")) {
        if (open.has(each.id)) each.open = true;
        if (closed.has(each.id)) each.open = false;
      }
      holder.replaceWith(fresh);
      document.title = page.title;
      if (push) history.pushState({}, "", address);
      start();
      document.querySelector(".side")?.scrollTo(0, scrolled);
      if (focus) document.querySelector(focus)?.focus({ preventScroll: true });
    } catch (error) {
      if (error.name !== "AbortError") location.assign(address);
    } finally {
      document.getElementById("explorer")?.removeAttribute("aria-busy");
    }
  }

  function addressOf(form) {
    const parameters = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      if (value === "" || (name === "mark" && value === "scatter") || (name === "per" && value === "50")) continue;
      parameters.append(name, value);
    }
    const text = parameters.toString();
    return `/explorer${text ? `?${text}` : ""}`;
  }

  function forms() {
    const form = document.getElementById("view");
    if (!form) return;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      go(addressOf(form));
    });
    for (const field of form.querySelectorAll("[data-send]")) {
      field.addEventListener("change", () => form.requestSubmit());
    }
    const holder = document.getElementById("explorer");
    holder.addEventListener("click", (event) => {
      const link = event.target.closest("a");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
      if (link.pathname === "/explorer" && link.origin === location.origin && link.id !== "permalink") {
        event.preventDefault();
        go(link.pathname + link.search);
      }
    });
    for (const find of form.querySelectorAll(".facet-find")) {
      find.hidden = false;
      const items = [...find.closest("details").querySelectorAll(".values > li")];
      const sift = () => {
        const word = find.value.toLowerCase();
        for (const item of items) item.hidden = !item.textContent.toLowerCase().includes(word);
      };
      find.addEventListener("input", sift);
      find.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
    }
    const facets = document.getElementById("facets");
    if (facets && !facets.dataset.set) {
      facets.dataset.set = "yes";
      if (matchMedia("(max-width: 56rem)").matches && !facets.dataset.touched) facets.open = false;
    }
    const permalink = document.getElementById("permalink");
    permalink?.addEventListener("click", async (event) => {
      if (!navigator.clipboard) return;
      event.preventDefault();
      try { await navigator.clipboard.writeText(permalink.href); permalink.textContent = "link copied"; } catch { location.assign(permalink.href); }
    });
  }

  // ---- completion of expressions (a combobox with a listbox)

  let list = null;

  function completion(field) {
    let chosen = -1, found = [], waiting = 0, timer = 0, answered = "";
    field.removeAttribute("list");
    field.setAttribute("role", "combobox");
    field.setAttribute("aria-autocomplete", "list");
    field.setAttribute("aria-expanded", "false");
    field.setAttribute("aria-controls", "suggestions");

    function close() {
      found = []; chosen = -1;
      if (list) list.hidden = true;
      field.setAttribute("aria-expanded", "false");
      field.removeAttribute("aria-activedescendant");
    }

    function mark(next) {
      chosen = next;
      for (const [place, item] of [...list.children].entries()) item.setAttribute("aria-selected", String(place === chosen));
      if (chosen >= 0) {
        field.setAttribute("aria-activedescendant", `suggestion-${chosen}`);
        list.children[chosen].scrollIntoView({ block: "nearest" });
      } else field.removeAttribute("aria-activedescendant");
    }

    function take(each) {
      clearTimeout(timer);
      waiting += 1;
      // What was typed since the list was made belongs to the word that is taken.
      const more = Math.max(0, field.value.length - answered.length);
      const word = /^[\w.]*$/.test(field.value.slice(each.end, each.end + more)) ? more : 0;
      const behind = field.value.slice(each.end + word);
      const space = each.text.endsWith("(") || behind.startsWith(" ") ? "" : " ";
      field.value = field.value.slice(0, each.start) + each.text + space + behind;
      const cursor = each.start + each.text.length + space.length;
      field.setSelectionRange(cursor, cursor);
      close();
      if (field.dataset.condition !== undefined || each.text.endsWith("(")) ask();
    }

    function show(suggestions, text) {
      const kept = chosen >= 0 ? found[chosen].text : null;
      found = suggestions;
      answered = text;
      if (!found.length) { close(); return; }
      list ??= Object.assign(document.createElement("ul"), { id: "suggestions" });
      list.setAttribute("role", "listbox");
      list.setAttribute("aria-label", "Suggestions");
      field.parentElement.append(list);
      list.replaceChildren(...found.map((each, place) => {
        const item = document.createElement("li");
        item.id = `suggestion-${place}`;
        item.setAttribute("role", "option");
        item.setAttribute("aria-selected", "false");
        const word = document.createElement("code"), note = document.createElement("span");
        word.textContent = each.text; note.textContent = each.description || each.place;
        item.append(word, " ", note);
        item.addEventListener("pointerdown", (event) => { event.preventDefault(); take(each); });
        return item;
      }));
      list.hidden = false;
      field.setAttribute("aria-expanded", "true");
      mark(kept === null ? -1 : found.findIndex((each) => each.text === kept));
    }

    async function ask() {
      const number = ++waiting, text = field.value;
      const parameters = new URLSearchParams({ text, at: String(field.selectionStart ?? field.value.length) });
      for (const own of document.querySelectorAll('input[name="metric"]')) if (own.value) parameters.append("metric", own.value);
      try {
        const answer = await fetch(`/explorer/complete.json?${parameters}`);
        if (number !== waiting || document.activeElement !== field || !answer.ok) return;
        const suggestions = await answer.json();
        if (number === waiting) show(suggestions, text);
      } catch { close(); }
    }

    field.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(ask, 90); });
    field.addEventListener("blur", close);
    field.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" && !found.length) { ask(); event.preventDefault(); return; }
      if (!found.length) return;
      if (event.key === "ArrowDown") { mark((chosen + 1) % found.length); event.preventDefault(); }
      else if (event.key === "ArrowUp") { mark((chosen - 1 + found.length) % found.length); event.preventDefault(); }
      else if ((event.key === "Enter" || event.key === "Tab") && chosen >= 0) { take(found[chosen]); event.preventDefault(); }
      else if (event.key === "Escape") { close(); event.preventDefault(); }
      else if (event.key === "Enter") close();
    });
  }

  function start() {
    forms();
    list = null;
    for (const field of document.querySelectorAll("[data-expression]")) completion(field);
    const figure = document.getElementById("plot");
    shown = null;
    if (figure) plot(figure);
  }

  addEventListener("popstate", () => { if (document.getElementById("explorer")) go(location.pathname + location.search, false); });
  document.addEventListener("assay:theme", () => { if (shown) draw(shown.figure, shown.data); });
  start();
})();
