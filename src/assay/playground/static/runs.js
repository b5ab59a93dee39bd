// Runs that are going on: asks once a second, more seldom when nothing comes, and no more when they are over.
(() => {
  "use strict";

  const SOONEST = 1000, LATEST = 30000;

  function duration(ns) {
    if (ns === null || ns === undefined) return "–";
    for (const [unit, size] of [["ns", 1], ["µs", 1e3], ["ms", 1e6]]) if (ns < size * 1000) return `${Number((ns / size).toPrecision(3))} ${unit}`;
    const seconds = ns / 1e9;
    if (seconds < 60) return `${seconds.toFixed(1)} s`;
    const minutes = Math.floor(seconds / 60);
    return minutes < 60 ? `${minutes} min ${Math.round(seconds % 60)} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  }

  function number(value) {
    return value >= 1000 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(4)));
  }

  // Asks for the progress of a run until it is over; tells each answer.
  function follow(run, start, told) {
    let from = start, wait = SOONEST;
    const ask = async () => {
      try {
        const answer = await fetch(`/runs/${encodeURIComponent(run)}/progress.json?from=${from}`, { headers: { accept: "application/json" } });
        if (!answer.ok) throw new Error(answer.statusText);
        const page = await answer.json();
        wait = page.offset > from ? SOONEST : Math.min(wait * 1.5, 5000);
        from = page.offset;
        told(page);
        if (!page.running) return;
      } catch {
        wait = Math.min(wait * 2, LATEST);
      }
      setTimeout(ask, document.hidden ? Math.max(wait, 5000) : wait);
    };
    setTimeout(ask, SOONEST);
  }

  function page() {
    const live = document.getElementById("live");
    if (!live) return;
    const at = (name) => live.querySelector(`[data-live="${name}"]`);
    const looks = [];
    let toldAt = 0;
    follow(live.dataset.run, Number(live.dataset.from), (page) => {
      if (!page.running) { location.reload(); return; }
      if (page.phase) at("phase").textContent = page.phase;
      if (page.share !== null) at("share").value = page.share;
      const latest = page.latest;
      if (latest) {
        at("left").textContent = latest.eta_s === null ? "–" : duration(latest.eta_s * 1e9);
        at("done").textContent = number(latest.done);
        at("rate").textContent = number(latest.rate);
        for (const name of ["p50_ns", "p90_ns", "p99_ns"]) at(name).textContent = duration(latest[name]);
        looks.push(...page.looks);
        draw(at("spark"), looks);
        if (Date.now() - toldAt > 15000 && page.share !== null) {
          toldAt = Date.now();
          at("told").textContent = `${Math.round(page.share * 100)} percent, ${number(latest.rate)} samples per second`;
        }
      }
      at("log").textContent = page.log;
      const tail = at("tail");
      const atEnd = tail.scrollTop + tail.clientHeight >= tail.scrollHeight - 8;
      tail.textContent = page.tail.join("\n");
      if (atEnd) tail.scrollTop = tail.scrollHeight;
    });
  }

  function draw(svg, looks) {
    if (looks.length < 2) return;
    const last = looks[looks.length - 1].elapsed_s || 1, top = Math.max(...looks.map((each) => each.rate)) || 1;
    svg.querySelector("polyline").setAttribute("points", looks.map((each) => `${(each.elapsed_s / last * 600).toFixed(1)},${(78 - each.rate / top * 74).toFixed(1)}`).join(" "));
    svg.removeAttribute("hidden");
  }

  function list() {
    for (const bar of document.querySelectorAll("progress.run-share")) {
      follow(bar.dataset.run, 0, (page) => {
        if (!page.running) { location.reload(); return; }
        if (page.share !== null) bar.value = page.share;
        const left = bar.parentElement.querySelector(".run-left");
        if (page.latest && page.latest.eta_s !== null) left.textContent = `${duration(page.latest.eta_s * 1e9)} left`;
      });
    }
  }

  page();
  list();
})();
