// The sandbox's clock and the ways to move it on.
import { advanceTime } from "./api.js";
import { attempt } from "./actions.js";
import { h, icon, openMenu, toast } from "./dom.js";
import { label, moment } from "./labels.js";
import { now, phone, refreshDialogs, setOffset } from "./store.js";

const HOUR = 3600;

/** Draw the button that shows the time. */
export function renderClock(button) {
  button.title = label("time");
  button.classList.toggle("moved", phone.offset > 1);
  const text = moment(now(), "full");
  button.setAttribute("aria-label", `${label("time")}: ${text}`);
  button.replaceChildren(icon("clock"), h("span", {}, text));
}

/** Open the menu of steps forward. */
export function openClock(button) {
  const step = (key, seconds) => ({ text: label(key), icon: "clock", run: () => advance(button, seconds) });
  openMenu(button, [
    { hint: label("advance") },
    step("hour", HOUR),
    step("day", 24 * HOUR),
    step("week", 7 * 24 * HOUR),
    step("month", secondsOfMonth()),
    { hint: label("advanceHint") },
  ]);
}

/** Seconds until the same moment of the next month, or its last day. */
function secondsOfMonth() {
  const from = new Date(now());
  const to = new Date(from);
  to.setMonth(to.getMonth() + 1, 1);
  const days = new Date(to.getFullYear(), to.getMonth() + 1, 0).getDate();
  to.setDate(Math.min(from.getDate(), days));
  return Math.round((to - from) / 1000);
}

function advance(button, seconds) {
  return attempt(async () => {
    button.setAttribute("aria-busy", "true");
    try {
      const { offset } = await advanceTime(seconds);
      setOffset(offset);
      toast(label("nowIs", { when: moment(now(), "full") }));
      await refreshDialogs();
    } finally {
      button.removeAttribute("aria-busy");
    }
  });
}
