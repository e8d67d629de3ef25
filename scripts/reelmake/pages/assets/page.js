// Keys and forms of every page.
"use strict";

self.reel = {
  // Whether a key is meant for what has the focus.
  typing(event) {
    const at = event.target;
    return event.ctrlKey || event.metaKey || event.altKey ||
      (at instanceof Element && at.closest("input, select, textarea, [contenteditable]") !== null);
  },
  fold(text) {
    return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  },
  clock(seconds) {
    if (typeof seconds !== "number") return "–";
    const whole = Math.max(0, Math.floor(seconds));
    const two = (number) => String(number).padStart(2, "0");
    const hours = Math.floor(whole / 3600);
    const minutes = Math.floor(whole / 60) % 60;
    return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
  },
  // An element with text, never markup.
  element(name, className, text) {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  },
};

document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !reel.typing(event)) {
    const field = document.querySelector("[data-slash]");
    if (field) {
      event.preventDefault();
      field.focus();
      field.select();
    }
  } else if (event.key === "Escape" && event.target instanceof HTMLInputElement) {
    if (event.target.value && event.target.type === "search") {
      event.target.value = "";
      event.target.dispatchEvent(new Event("input", { bubbles: true }));
      event.preventDefault();
    } else {
      event.target.blur();
    }
  }
});

for (const field of document.querySelectorAll("[data-submit]")) {
  field.addEventListener("change", () => field.form.requestSubmit());
}
