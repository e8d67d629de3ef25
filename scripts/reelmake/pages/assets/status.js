// The state of the library, as the server sends it.
"use strict";

(() => {
  const root = document.documentElement.dataset.root;
  const at = (id) => document.getElementById(id);
  const many = (number) => Number(number || 0).toLocaleString();

  function lasting(seconds) {
    if (seconds === null || seconds === undefined) return "";
    if (seconds < 90) return `${Math.round(seconds)} s`;
    if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
    if (seconds < 172800) return `${(seconds / 3600).toFixed(1)} h`;
    return `${(seconds / 86400).toFixed(1)} days`;
  }

  function tile(label, value, bad) {
    const made = reel.element("div", bad ? "tile bad" : "tile");
    made.append(reel.element("b", "", value), reel.element("span", "muted", label));
    return made;
  }

  function jobs(id, list) {
    const box = at(id);
    box.hidden = list.length === 0;
    const items = list.slice(0, 50).map((job) => {
      const item = reel.element("li");
      const link = reel.element("a", "", job.video);
      link.href = `${root}film/${encodeURIComponent(job.video)}`;
      link.dir = "auto";
      item.append(link, ` ${job.stage}`);
      if (job.items) item.append(reel.element("span", "muted", ` ${many(job.items.done)} of ${many(job.items.total)} ${job.items.unit}`));
      if (job.error) {
        const told = `${job.video}: ${job.stage}: `; // stands before it already
        const message = job.error.message || "";
        const why = reel.element("bdi", "", ` ${message.startsWith(told) ? message.slice(told.length) : message}`);
        item.append(why);
      }
      return item;
    });
    if (list.length > 50) items.push(reel.element("li", "muted", `and ${many(list.length - 50)} more`));
    box.querySelector("ul").replaceChildren(...items);
  }

  function show(status) {
    const films = status.videos;
    let run = "No run is going on.";
    if (status.run) {
      run = `A run is going on${status.run.host ? ` on ${status.run.host}` : ""}`;
      if (status.eta && status.eta.p50) run += `; ${lasting(status.eta.p50)} to go, ${lasting(status.eta.p90)} at most, nine times in ten`;
      run += ".";
    }
    at("run").textContent = run;
    const tiles = [
      tile("films", many(films.total)),
      tile("done", many(films.done)),
      tile("at work", many(films.running)),
      tile("waiting", many(films.waiting)),
      tile("failed", many(films.failed + films.killed), films.failed + films.killed > 0),
      tile("of film", lasting(status.media_seconds)),
      tile("highlights", many(status.highlights)),
    ];
    if (status.rate) tiles.push(tile("films an hour", many(status.rate.videos_per_hour)));
    at("tiles").replaceChildren(...tiles);
    const rows = Object.entries(status.stages).map(([stage, counts]) => {
      const row = reel.element("tr");
      const name = reel.element("th", "", stage);
      name.scope = "row";
      const bar = reel.element("progress");
      const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
      bar.max = all || 1;
      bar.value = counts.done;
      bar.setAttribute("aria-label", `${stage}: ${counts.done} of ${all} done`);
      const cell = reel.element("td");
      cell.append(bar);
      row.append(name, cell);
      for (const count of [counts.done, counts.running, counts.waiting, counts.failed + counts.killed]) {
        row.append(reel.element("td", "", many(count)));
      }
      return row;
    });
    at("stages").tBodies[0].replaceChildren(...rows);
    jobs("running", status.running);
    jobs("failed", status.failed);
  }

  const events = new EventSource(`${root}events`);
  events.addEventListener("message", (event) => show(JSON.parse(event.data)));
  events.addEventListener("error", () => {
    at("run").textContent = "The server does not answer; trying again …";
  });
})();
