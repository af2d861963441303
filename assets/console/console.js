// What a page can do better with a script than without one. Every page works without it.
"use strict";

// A secret: select all on focus, copy, and never show it again once the page was left.
for (const box of document.querySelectorAll("[data-secret]")) {
  const field = box.querySelector("textarea, input");
  const said = box.querySelector("[role=status]");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "btn primary";
  button.textContent = box.dataset.copy;
  field.after(button);
  field.addEventListener("focus", () => field.select());
  button.addEventListener("click", async () => {
    said.textContent = (await copied(field)) ? box.dataset.copied : box.dataset.failed;
  });
  addEventListener("pagehide", () => { field.value = ""; field.textContent = ""; });
}
addEventListener("pageshow", (event) => {
  if (event.persisted && document.querySelector("[data-secret]")) location.replace("/console/tokens");
});

// True only if the text is in the clipboard. Without TLS there is no navigator.clipboard.
async function copied(field) {
  try {
    await navigator.clipboard.writeText(field.value);
    return true;
  } catch {
    field.focus();
    field.select();
    return document.execCommand("copy");
  }
}

// Times: in the reader's zone, and how long ago.
const language = document.documentElement.lang;
const local = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
const date = new Intl.DateTimeFormat(language, { dateStyle: "medium" });
const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
for (const time of document.querySelectorAll("time[datetime]")) {
  const at = new Date(time.dateTime);
  const seconds = (at - Date.now()) / 1000;
  const units = [["day", 86400], ["hour", 3600], ["minute", 60]];
  const [unit, length] = units.find(([, length]) => Math.abs(seconds) >= length - length / 60) ?? ["second", 1];
  time.title = `${local.format(at)} (${time.textContent.trim()})`;
  if (Math.abs(seconds) < 30 * 86400) time.textContent = relative.format(Math.round(seconds / length), unit);
  else time.textContent = (time.closest("td") ? date : local).format(at);
}

// Checkboxes: one for all, a count, and shift for a range.
for (const form of document.querySelectorAll("form[data-bulk]")) {
  const all = form.querySelector("[data-all]");
  const boxes = [...form.querySelectorAll("input[type=checkbox][name=id]")];
  const count = form.querySelector("[data-count]");
  let last = null;
  const tell = () => {
    const chosen = boxes.filter((box) => box.checked).length;
    all.checked = chosen > 0 && chosen === boxes.length;
    all.indeterminate = chosen > 0 && chosen < boxes.length;
    if (count) count.textContent = chosen || "";
  };
  all.closest("[hidden]")?.removeAttribute("hidden");
  all.addEventListener("change", () => { for (const box of boxes) box.checked = all.checked; tell(); });
  for (const box of boxes) {
    box.addEventListener("click", (event) => {
      if (event.shiftKey && last) {
        const [from, to] = [boxes.indexOf(last), boxes.indexOf(box)].sort((a, b) => a - b);
        for (const between of boxes.slice(from, to + 1)) between.checked = box.checked;
      }
      last = box;
      tell();
    });
  }
  tell();
}

// One open menu at a time; Escape closes it and gives the focus back, arrows lead through it.
addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.dots[open]")) if (!menu.contains(event.target)) menu.open = false;
});
addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && document.querySelector("details.dots[open]");
  if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const open = step && event.target.closest("details.dots[open]");
  if (!open) return;
  event.preventDefault();
  const entries = [...open.querySelectorAll(".sheet a, .sheet button")];
  const next = entries.indexOf(event.target) + (event.target.matches("summary") && step < 0 ? 0 : step);
  entries.at(next % entries.length).focus();
});

// A form is sent once, however often its button is clicked.
for (const form of document.querySelectorAll("form[data-once]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
}
