// Comforts only: every page works without this file. No word of a page leaves it.
"use strict";

// Words that are true only where this file runs.
document.querySelectorAll("[data-scripted]").forEach((words) => { words.hidden = false; });

// The way out: the button, or Escape three times within two seconds. The page goes from the history.
const exits = document.querySelectorAll("[data-quick-exit]");

function leave(event) {
  event?.preventDefault();
  document.body.hidden = true;
  document.title = "";
  window.location.replace(exits[0].href);
}

if (exits.length) {
  let presses = [];
  exits.forEach((exit) => exit.addEventListener("click", leave));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") {
      presses = [];
      return;
    }
    presses = [...presses.filter((at) => event.timeStamp - at < 2000), event.timeStamp];
    if (presses.length >= 3) leave(event);
  });
}

// Time left, counted here between page loads; the words come from the page, in its language.
function span(minutes) {
  const [days, hours, rest] = [Math.floor(minutes / 1440), Math.floor((minutes % 1440) / 60), minutes % 60];
  if (days) return hours ? `${days} d ${hours} h` : `${days} d`;
  if (hours) return rest ? `${hours} h ${rest} min` : `${hours} h`;
  return `${rest} min`;
}

// The reader's clock may be wrong: count from the moment at which the server made the page.
const loaded = Date.now();
const passed = () => Date.now() - loaded;

function count() {
  document.querySelectorAll("time[data-due]").forEach((time) => {
    const seconds = (Date.parse(time.dataset.due) - Date.parse(time.dataset.now) - passed()) / 1000;
    const words = seconds < 0 ? time.dataset.late : time.dataset.left;
    const minutes = Math.floor(Math.abs(seconds) / 60);
    const amount = minutes ? span(minutes) : time.dataset.under;
    const text = words.replace("{}", amount);
    const rest = time.querySelector(".time-left__rest");
    if (rest.textContent !== text) rest.textContent = text;
    time.classList.toggle("time-left--late", seconds < 0);
  });
}

if (document.querySelector("time[data-due]")) {
  count();
  setInterval(count, 10000);
}

// Moments in the reader's own zone; without this they stand in the server's, with its name.
const zoned = { dateStyle: "medium", timeStyle: "short" };
const zoneName = { timeZoneName: "short", hour: "numeric" };

document.querySelectorAll("[data-local]").forEach((time) => {
  const [at, language] = [new Date(time.dataset.local), document.documentElement.lang];
  const parts = new Intl.DateTimeFormat(language, zoneName).formatToParts(at);
  const zone = parts.find((part) => part.type === "timeZoneName").value;
  time.textContent = `${new Intl.DateTimeFormat(language, zoned).format(at)} ${zone}`;
});

// After a fault the reader hears it first.
document.querySelector("[data-focus]")?.focus();

// The desk's keys: j and k walk the rows, o opens, a goes to the row's answer. None of them answers by itself:
// a key pressed by mistake at night must not take a referral.
const rows = [...document.querySelectorAll("[data-row]")];

function walk(step) {
  const here = rows.findIndex((row) => row.contains(document.activeElement));
  const next = here < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(Math.max(here + step, 0), rows.length - 1);
  rows[next].querySelector("[data-open]")?.focus();
}

const keys = {
  j: () => walk(1),
  k: () => walk(-1),
  o: (row) => row?.querySelector("[data-open]")?.click(),
  a: (row) => row?.querySelector("[data-acknowledge]")?.focus(),
};

if (rows.length) {
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
    keys[event.key](document.activeElement.closest("[data-row]"));
  });
}
