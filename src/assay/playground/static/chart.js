// Draws every <figure class="chart" data-spec="..."> with the chart library, which is loaded once and only when needed.
(() => {
  "use strict";

  let library = null;

  function vega() {
    library ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = document.querySelector('meta[name="vega"]').content;
      script.onload = () => resolve(window.vegaEmbed);
      script.onerror = () => reject(new Error("the chart library could not be loaded"));
      document.head.append(script);
    });
    return library;
  }

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  // Colours of the page for what a specification leaves open.
  function config() {
    const ink = colour("--ink"), faint = colour("--faint"), line = colour("--line");
    return {
      background: "transparent",
      font: getComputedStyle(document.body).fontFamily,
      axis: { labelColor: faint, titleColor: ink, gridColor: line, domainColor: line, tickColor: line, labelFontSize: 12, titleFontSize: 12.5, titleFontWeight: 600 },
      legend: { labelColor: ink, titleColor: ink, labelFontSize: 12, titleFontSize: 12, symbolSize: 80 },
      header: { labelColor: ink, titleColor: ink },
      title: { color: ink, subtitleColor: faint },
      text: { color: ink },
      view: { stroke: line },
    };
  }

  async function embed(figure, spec, options = {}) {
    const draw = await vega();
    const canvas = figure.querySelector(".canvas");
    const result = await draw(canvas, spec, {
      ast: true, actions: false, renderer: "canvas", defaultStyle: false, config: config(),
      tooltip: { disableDefaultStyle: true }, hover: false, ...options,
    });
    figure.dataset.drawn = "yes";
    return result;
  }

  async function draw(figure) {
    const canvas = figure.querySelector(".canvas");
    try {
      const inline = figure.querySelector("script.inline");
      if (inline) {
        figure.assaySpec = JSON.parse(inline.textContent);
        await embed(figure, figure.assaySpec);
        return;
      }
      const answer = await fetch(figure.dataset.spec, { headers: { accept: "application/json" } });
      const spec = await answer.json();
      if (!answer.ok) throw new Error(spec.what ?? answer.statusText);
      figure.assaySpec = spec;
      await embed(figure, spec);
    } catch (error) {
      figure.dataset.drawn = "no";
      canvas.textContent = `The chart cannot be drawn: ${error.message}`;
    }
  }

  async function redraw() {
    for (const figure of document.querySelectorAll("figure.chart")) {
      if (figure.assaySpec) await embed(figure, figure.assaySpec);
    }
  }

  window.assayChart = { embed, colour, config };
  document.addEventListener("assay:theme", redraw);
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (entry.isIntersecting) {
        seen.unobserve(entry.target);
        draw(entry.target);
      }
    }
  }, { rootMargin: "400px" });
  for (const figure of document.querySelectorAll("figure.chart[data-spec], figure.chart[data-inline]:not(.plot)")) seen.observe(figure);
})();
