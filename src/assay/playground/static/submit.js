// Sending in: drag and drop, folders packed in the browser, how far it is; and uploads that are being checked.
(() => {
  "use strict";

  const size = (bytes) => {
    for (const [unit, value] of [["GiB", 2 ** 30], ["MiB", 2 ** 20], ["KiB", 2 ** 10]]) if (bytes >= value) return `${(bytes / value).toFixed(1)} ${unit}`;
    return `${bytes} B`;
  };

  // ---- a folder as .tar.gz

  const LEFT_OUT = /(^|\/)(\.git|\.svn|\.hg|__pycache__|__MACOSX|\.DS_Store|Thumbs\.db)(\/|$)/;
  const encoder = new TextEncoder();

  function header(name, length, kind) {
    const block = new Uint8Array(512);
    const put = (text, at) => block.set(encoder.encode(text), at);
    block.set(encoder.encode(name).slice(0, 100), 0);
    put("0000644\0", 100); put("0000000\0", 108); put("0000000\0", 116);
    put(`${length.toString(8).padStart(11, "0")}\0`, 124);
    put("00000000000\0", 136); put("        ", 148); put(kind, 156); put("ustar  \0", 257);
    const sum = block.reduce((total, each) => total + each, 0);
    put(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    return block;
  }

  const padding = (length) => new Uint8Array((512 - (length % 512)) % 512);

  // files: pairs of a path and a File. The parts are read from the disk when they are sent, not before.
  async function packed(files) {
    const parts = [];
    for (const [name, file] of files) {
      const raw = encoder.encode(name);
      if (raw.length > 100) parts.push(header("././@LongLink", raw.length + 1, "L"), raw, new Uint8Array(1), padding(raw.length + 1));
      parts.push(header(name, file.size, "0"), file, padding(file.size));
    }
    parts.push(new Uint8Array(1024));
    const tar = new Blob(parts);
    if (!window.CompressionStream) return [tar, ".tar"];
    return [await new Response(tar.stream().pipeThrough(new CompressionStream("gzip"))).blob(), ".tar.gz"];
  }

  async function inside(entry, path, found) {
    if (LEFT_OUT.test(entry.name)) return;
    const name = path ? `${path}/${entry.name}` : entry.name;
    if (entry.isFile) {
      found.push([name, await new Promise((done, failed) => entry.file(done, failed))]);
      return;
    }
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise((done, failed) => reader.readEntries(done, failed));
      if (!some.length) return;
      for (const each of some) await inside(each, name, found);
    }
  }

  // ---- the form

  function sending(form) {
    const at = (id) => document.getElementById(id);
    const file = at("file"), folder = at("folder"), drop = at("drop"), chosen = at("chosen");
    for (const each of form.querySelectorAll(".js-only")) each.hidden = false;
    // What is sent in place of the file of the form: an archive that was dropped, or the files of a folder.
    let instead = null;

    const choose = (text, what) => {
      instead = what;
      file.required = !what;
      chosen.textContent = text;
    };
    file.addEventListener("change", () => choose(file.files.length ? `${file.files[0].name}, ${size(file.files[0].size)}` : "", null));
    const chooseFolder = (files) => {
      const wanted = files.filter(([name]) => !LEFT_OUT.test(name)).sort(([one], [other]) => (one < other ? -1 : 1));
      const total = wanted.reduce((sum, [, each]) => sum + each.size, 0);
      const name = (wanted[0]?.[0] ?? "").split("/")[0] || "folder";
      choose(`${name}: ${wanted.length} files, ${size(total)}, packed when it is sent`, wanted.length ? { name, files: wanted } : null);
    };
    folder.addEventListener("change", () => chooseFolder([...folder.files].map((each) => [each.webkitRelativePath || each.name, each])));
    for (const kind of ["dragover", "dragenter"]) drop.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.add("over"); });
    for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("over"));
    drop.addEventListener("drop", async (event) => {
      event.preventDefault();
      const entries = [...event.dataTransfer.items].map((each) => each.webkitGetAsEntry?.()).filter(Boolean);
      const files = [...event.dataTransfer.files];
      if (entries.some((each) => each.isDirectory)) {
        const found = [];
        try {
          for (const each of entries) await inside(each, "", found);
          chooseFolder(found);
        } catch {
          choose("The folder cannot be read. Pack it: tar -czf results.tar.gz FOLDER", null);
        }
      } else if (files.length === 1) {
        choose(`${files[0].name}, ${size(files[0].size)}`, { name: files[0].name, file: files[0] });
      } else {
        choose("One archive at a time, or one folder.", null);
      }
    });

    const refused = (said) => {
      const box = at("refused");
      box.replaceChildren();
      const line = (text, kind = "p") => { const each = document.createElement(kind); each.textContent = text; box.append(each); };
      line(`Nothing was sent in: ${said.what}.`);
      for (const [word, key] of [["Where", "where"], ["Expected", "expected"], ["Found", "found"], ["Try", "hint"]]) if (said[key]) line(`${word}: ${said[key]}`);
      box.hidden = false;
      at("sending").hidden = true;
      form.querySelector("button[type=submit]").disabled = false;
    };

    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      at("refused").hidden = true;
      form.querySelector("button[type=submit]").disabled = true;
      at("sending").hidden = false;
      const bar = at("sending").querySelector("progress");
      const data = new FormData(form);
      try {
        if (instead?.files) {
          at("sent").textContent = "Packing…";
          bar.removeAttribute("value");
          const [blob, end] = await packed(instead.files);
          data.set("file", blob, `${instead.name}${end}`);
        } else if (instead?.file) {
          data.set("file", instead.file, instead.name);
        }
      } catch {
        refused({ what: "the folder cannot be packed", hint: "pack it yourself: tar -czf results.tar.gz FOLDER" });
        return;
      }
      const request = new XMLHttpRequest();
      const began = Date.now();
      request.upload.addEventListener("progress", (told) => {
        if (!told.lengthComputable) return;
        bar.value = told.loaded / told.total;
        const left = (Date.now() - began) / 1000 * (told.total / Math.max(told.loaded, 1) - 1);
        at("sent").textContent = `${size(told.loaded)} of ${size(told.total)} sent${left > 1 ? `, ${Math.round(left)} s left` : ""}`;
      });
      request.addEventListener("load", () => {
        let said = {};
        try { said = JSON.parse(request.responseText); } catch { /* a proxy's own page */ }
        if (request.status === 202 && said.address) location.assign(said.address);
        else refused(said.what ? said : { what: `the server answered ${request.status}` });
      });
      request.addEventListener("error", () => refused({ what: "the connection broke off", hint: "send it once more" }));
      request.open("POST", "/api/uploads");
      request.setRequestHeader("X-CSRF-Token", data.get("csrf"));
      request.send(data);
    });
  }

  // The visitor's own time zone for embargoes.
  function zones() {
    let zone = "";
    try { zone = Intl.DateTimeFormat().resolvedOptions().timeZone; } catch { /* UTC stays */ }
    for (const select of document.querySelectorAll("select[data-zone]")) {
      if (zone && zone !== "UTC") select.prepend(new Option(zone, zone, true, true));
    }
  }

  // ---- an upload that is being checked

  function follow(live) {
    let wait = 500;
    const ask = async () => {
      try {
        const answer = await fetch(`/uploads/${live.dataset.upload}.json`, { headers: { accept: "application/json" } });
        if (!answer.ok) throw new Error(answer.statusText);
        const page = await answer.json();
        if (page.done) { location.reload(); return; }
        const word = document.getElementById("upload-word");
        if (live.dataset.state !== page.state) {
          live.dataset.state = page.state;
          word.textContent = page.word.charAt(0).toUpperCase() + page.word.slice(1);
          document.getElementById("upload-meaning").textContent = page.meaning;
        }
        document.getElementById("upload-ahead").textContent = page.ahead ? `${page.ahead} ${page.ahead === 1 ? "upload is" : "uploads are"} checked before it.` : "";
        wait = Math.min(wait * 1.2, 4000);
      } catch {
        wait = Math.min(wait * 2, 30000);
      }
      setTimeout(ask, document.hidden ? Math.max(wait, 5000) : wait);
    };
    setTimeout(ask, wait);
  }

  const form = document.getElementById("submit"), live = document.getElementById("upload-live");
  zones();
  if (form) sending(form);
  if (live) follow(live);
})();
