// The player, and what follows it: transcript, scenes, timeline.
"use strict";

(() => {
  const STEP = 5;
  const at = (id) => document.getElementById(id);
  const player = at("player");
  const timeline = at("timeline");
  const still = at("still");
  const duration = Number(timeline.dataset.duration) || 0;
  const jumps = [...document.querySelectorAll(".jump")];
  const lines = [...document.querySelectorAll("#lines .jump")];
  const scenes = [...document.querySelectorAll(".strip .jump")];
  const clips = [...document.querySelectorAll("[data-clip]")].map((item) => ({
    address: item.dataset.clip,
    start: Number(item.dataset.from),
    end: Number(item.dataset.until),
  }));
  const span = (link) => ({
    link,
    start: Number(link.dataset.start),
    end: Number(link.dataset.end ?? link.dataset.start),
  });
  const said = lines.map(span);
  const shots = scenes.map(span);

  // What is in the player: the film, a clip of it from `offset` on, or the trailer, whose times
  // are nobody's.
  let mode = player ? player.dataset.mode : "none";
  let offset = player ? Number(player.dataset.offset || 0) : 0;
  let wanted = null;

  const now = () => (player && mode !== "trailer" && mode !== "none" ? player.currentTime + offset : null);

  function go(seconds, play) {
    const time = Math.max(0, duration ? Math.min(seconds, duration) : seconds);
    if (mode !== "film") {
      const clip = clips.find((each) => each.start <= time && time < each.end);
      if (!player || !clip) {
        showStill(time);
        return;
      }
      if (mode !== "clip" || player.getAttribute("src") !== clip.address) {
        player.src = clip.address;
        player.removeAttribute("poster");
        mode = "clip";
      }
      offset = clip.start;
    }
    still.hidden = true;
    wanted = time - offset;
    place();
    if (play) player.play().catch(() => {});
    follow();
  }

  function place() {
    if (wanted === null || !player) return;
    if (player.readyState === 0) {
      player.load();
      return; // goes on when it knows its length
    }
    player.currentTime = wanted;
    wanted = null;
  }

  function showStill(time) {
    const shot = shots.findLast((each) => each.start <= time);
    const image = shot?.link.querySelector("img");
    if (player) player.pause();
    if (image) {
      still.querySelector("img").src = image.src;
      still.querySelector("figcaption").textContent =
        `${reel.clock(time)}: a picture of this scene, since no clip has this moment`;
      still.hidden = false;
    }
    mark(time);
  }

  function last(spans, time) {
    let low = 0;
    let high = spans.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (spans[middle].start <= time) low = middle + 1;
      else high = middle;
    }
    return spans[low - 1];
  }

  let line = null;
  let shot = null;

  function current(before, after) {
    if (before === after) return false;
    before?.link.removeAttribute("aria-current");
    after?.link.setAttribute("aria-current", "true");
    return true;
  }

  function mark(time) {
    const head = duration ? (time / duration) * 1000 : 0;
    at("playhead").setAttribute("x", String(Math.min(997, head)));
    const spoken = last(said, time + 0.01);
    if (current(line, spoken)) {
      line = spoken;
      if (line && at("follow").checked) reveal(at("lines"), line.link, "vertical");
    }
    const seen = last(shots, time + 0.01);
    if (current(shot, seen)) {
      shot = seen;
      if (shot) reveal(document.querySelector(".strip"), shot.link, "horizontal");
    }
  }

  // Moves the list alone: the page stays where its reader is.
  function reveal(box, link, way) {
    const outer = box.getBoundingClientRect();
    const inner = link.getBoundingClientRect();
    const smooth = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
    if (way === "vertical") {
      box.scrollBy({ top: inner.top - outer.top - (outer.height - inner.height) / 3, behavior: smooth });
    } else if (inner.left < outer.left || inner.right > outer.right) {
      box.scrollBy({ left: inner.left - outer.left - (outer.width - inner.width) / 2, behavior: smooth });
    }
  }

  function follow() {
    const time = wanted !== null ? wanted + offset : now();
    if (time !== null) mark(time);
  }

  if (player) {
    player.addEventListener("loadedmetadata", place);
    for (const event of ["timeupdate", "seeking", "seeked"]) player.addEventListener(event, follow);
    player.addEventListener("playing", () => { still.hidden = true; });
    player.addEventListener("error", () => {
      if (mode !== "film") return;
      at("reason").textContent = player.error?.code === 4
        ? "This browser can't play the film, or it is not where it was."
        : "The film can't be read to its end.";
      at("notice").hidden = false;
      mode = "none";
      const time = wanted === null ? null : wanted + offset;
      const trailer = at("trailer");
      if (trailer) {
        mode = "trailer";
        player.src = trailer.dataset.src;
      }
      if (time !== null && time > 0) go(time, false);
    });
    // Where no file of subtitles can be loaded, as from the disk, the transcript makes them.
    if (mode === "film" && player instanceof HTMLVideoElement && said.length && !player.querySelector("track")) {
      const track = player.addTextTrack("captions", "What is said", "");
      track.mode = "disabled";
      for (const each of said) {
        if (each.end > each.start) {
          track.addCue(new VTTCue(each.start, each.end, plain(each.link.querySelector("span").textContent)));
        }
      }
    }
  }

  // Text for a cue, in which nothing is markup.
  function plain(text) {
    return text.trim().replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  }

  at("trailer")?.addEventListener("click", () => {
    if (!player) return;
    mode = "trailer";
    offset = 0;
    wanted = null;
    still.hidden = true;
    player.src = at("trailer").dataset.src;
    player.play().catch(() => {});
    player.scrollIntoView({ block: "nearest" });
  });

  function toFilm() {
    const film = player?.dataset.film;
    if (film && mode === "trailer") {
      player.src = film;
      mode = "film";
    }
  }
  if (player && mode === "film") player.dataset.film = player.getAttribute("src");

  document.addEventListener("click", (event) => {
    const link = event.target.closest(".jump");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    toFilm();
    go(Number(link.dataset.start), true);
    try {
      history.replaceState(null, "", link.getAttribute("href"));
    } catch {
      // Some browsers refuse it on disk.
    }
    if (!link.closest("#lines")) at("player")?.scrollIntoView({ block: "nearest" });
  });

  timeline.addEventListener("click", (event) => {
    const box = timeline.getBoundingClientRect();
    toFilm();
    go(((event.clientX - box.left) / box.width) * duration, false);
  });

  document.addEventListener("keydown", (event) => {
    if (reel.typing(event) || event.target === player) return;
    const on = event.target instanceof Element && event.target.closest("button, summary, .strip, [role=region]");
    const time = now() ?? (line ? line.start : 0);
    if (event.key === " " && !on && player) {
      event.preventDefault();
      if (player.paused) player.play().catch(() => {});
      else player.pause();
    } else if ((event.key === "ArrowLeft" || event.key === "ArrowRight") && !on) {
      event.preventDefault();
      go(time + (event.key === "ArrowLeft" ? -STEP : STEP), false);
    } else if ((event.key === "ArrowUp" || event.key === "ArrowDown") && !on && said.length) {
      event.preventDefault();
      const here = line ? said.indexOf(line) : -1;
      const next = said[event.key === "ArrowUp" ? Math.max(0, here - 1) : Math.min(said.length - 1, here + 1)];
      go(next.start, false);
    }
  });

  const find = at("find");
  find?.addEventListener("input", () => {
    const words = reel.fold(find.value).split(/\s+/).filter(Boolean);
    let count = 0;
    for (const link of lines) {
      link.dataset.text ??= reel.fold(link.querySelector("span").textContent);
      const is = words.every((word) => link.dataset.text.includes(word));
      link.parentElement.hidden = !is;
      count += is ? 1 : 0;
    }
    at("found").textContent = words.length ? `${count} of ${lines.length}` : "";
  });
  find?.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    const first = lines.find((link) => !link.parentElement.hidden);
    if (first) go(Number(first.dataset.start), false);
  });

  // film/x#t=12.5
  function fromAddress() {
    const found = /^#t=(\d+(?:\.\d+)?)/.exec(location.hash);
    if (found) go(Number(found[1]), false);
  }
  addEventListener("hashchange", fromAddress);
  fromAddress();
})();
