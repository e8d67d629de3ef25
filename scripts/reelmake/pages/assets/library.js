// The grid of all films: sorted and filtered here, and shown a part at a time.
"use strict";

(() => {
  const PART = 60;
  const root = document.documentElement.dataset.root;
  const live = document.documentElement.dataset.live === "1";
  const given = self.reelmake || { fields: [], films: [] };
  const films = given.films.map((row) => Object.fromEntries(row.map((value, n) => [given.fields[n], value])));
  const at = (id) => document.getElementById(id);
  const [list, more, filter, state, sort] = ["films", "more", "filter", "state", "sort"].map(at);

  const address = (id) => `${root}film/${encodeURIComponent(id)}${live ? "" : "/index.html"}`;
  const picture = (film) =>
    `${root}${live ? "media" : ".."}/${encodeURIComponent(film.id)}/keyframes/${encodeURIComponent(film.picture)}`;

  const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
  const falling = (key) => (a, b) => (b[key] ?? -1) - (a[key] ?? -1);
  for (const [place, film] of [...films].sort((a, b) => collator.compare(a.title, b.title)).entries()) {
    film.place = place;
  }
  const orders = {
    title: (a, b) => a.place - b.place,
    modified: (a, b) => (b.modified || "").localeCompare(a.modified || "") || a.place - b.place,
    duration: falling("duration"),
    best: falling("best"),
    highlights: falling("highlights"),
    size: falling("size"),
  };
  const kinds = {
    "": () => true,
    highlights: (film) => film.highlights > 0,
    failed: (film) => film.state === "failed" || film.state === "killed",
    unfinished: (film) => film.state !== "done",
  };

  let found = [];
  let shown = 0;

  function card(film) {
    const item = reel.element("li", "film");
    const link = reel.element("a");
    link.href = address(film.id);
    const shot = reel.element("span", "shot");
    if (film.picture) {
      const image = reel.element("img");
      image.loading = "lazy";
      image.decoding = "async";
      image.alt = "";
      image.src = picture(film);
      shot.append(image);
    } else {
      shot.append(reel.element("span", "blank"));
    }
    if (film.state !== "done") shot.append(reel.element("span", `state ${film.state}`, film.state));
    if (film.best !== null) {
      const score = reel.element("span", "score", String(Math.round(film.best * 10) / 10));
      score.title = "The best highlight, of 10";
      score.prepend(reel.element("span", "hidden", "Best highlight "));
      shot.append(score);
    }
    if (film.duration !== null) {
      const when = reel.element("span", "when");
      const time = reel.element("time", "", reel.clock(film.duration));
      time.dateTime = `PT${film.duration}S`;
      when.append(time);
      shot.append(when);
    }
    const title = reel.element("strong", "", film.title);
    title.dir = "auto";
    link.append(shot, title);
    const facts = [
      film.highlights ? `${film.highlights} highlight${film.highlights === 1 ? "" : "s"}` : "",
      film.scenes ? `${film.scenes} scene${film.scenes === 1 ? "" : "s"}` : "",
      film.language || "",
    ].filter(Boolean);
    link.append(reel.element("span", "line", facts.join(" · ")));
    if (film.failure) {
      const reason = reel.element("span", "reason", film.failure);
      reason.dir = "auto";
      link.append(reason);
    }
    item.append(link);
    return item;
  }

  function show() {
    const part = document.createDocumentFragment();
    for (const film of found.slice(shown, shown + PART)) part.append(card(film));
    shown = Math.min(found.length, shown + PART);
    list.append(part);
    more.hidden = shown >= found.length;
  }

  function choose() {
    const words = reel.fold(filter.value).split(/\s+/).filter(Boolean);
    const is = kinds[state.value];
    found = films.filter((film) => {
      if (!is(film)) return false;
      if (!words.length) return true;
      film.text ??= reel.fold(`${film.title} ${film.id} ${film.failure || ""}`);
      return words.every((word) => film.text.includes(word));
    });
    found.sort(orders[sort.value]);
    const seconds = found.reduce((sum, film) => sum + (film.duration || 0), 0);
    const hours = seconds >= 36000 ? `${Math.round(seconds / 3600).toLocaleString()} hours`
      : `${Math.ceil(seconds / 60)} ${seconds > 60 ? "minutes" : "minute"}`;
    const many = `${found.length.toLocaleString()} film${found.length === 1 ? "" : "s"}`;
    at("summary").textContent = seconds ? `${many}, ${hours}` : many; // of broken films, no length is known
    at("nothing").hidden = found.length > 0;
    list.replaceChildren();
    shown = 0;
    show();
    const chosen = { filter: filter.value, state: state.value, sort: sort.value };
    try {
      history.replaceState(chosen, "");
    } catch {
      // Some browsers refuse it on disk.
    }
  }

  let waiting = 0;
  filter.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(choose, 80);
  });
  state.addEventListener("change", choose);
  sort.addEventListener("change", choose);
  more.addEventListener("click", () => {
    const next = shown;
    show();
    list.children[next]?.querySelector("a").focus();
  });
  at("reset").addEventListener("click", () => {
    filter.value = state.value = "";
    choose();
    filter.focus();
  });
  if ("IntersectionObserver" in self) {
    new IntersectionObserver((seen) => {
      if (seen.some((each) => each.isIntersecting) && shown < found.length) show();
    }, { rootMargin: "1200px" }).observe(more.parentElement);
  }

  // Arrows go from film to film, as they lie on the screen.
  list.addEventListener("keydown", (event) => {
    const link = event.target.closest("a");
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: 0, ArrowDown: 0 }[event.key];
    if (!link || step === undefined) return;
    const items = [...list.children];
    const here = items.indexOf(link.parentElement);
    let columns = items.findIndex((item) => item.offsetTop > items[0].offsetTop);
    if (columns < 1) columns = items.length;
    const by = step || (event.key === "ArrowUp" ? -columns : columns);
    const next = items[here + by];
    if (next) {
      event.preventDefault();
      next.querySelector("a").focus();
    }
  });

  if (history.state && typeof history.state === "object") {
    filter.value = String(history.state.filter ?? "");
    if (history.state.state in kinds) state.value = history.state.state;
    if (history.state.sort in orders) sort.value = history.state.sort;
  }
  choose();
})();
