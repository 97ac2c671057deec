// The page of a run: `run` is what engine/review/page.c wrote. Plots by uPlot, no network.
"use strict";
const colours = ["#2f6fb7", "#c2571a", "#2e8b57", "#8e44ad", "#b8860b", "#c0392b", "#16808a", "#6b7280"];
const severityColours = { info: "#3b82c4", low: "#3b82c4", medium: "#d99a00", high: "#d9480f", critical: "#b00020" };
const plots = [];

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {}))
    if (value !== null) made.setAttribute(key, value);
  made.append(...children.filter(child => child !== null));
  return made;
}
function clock(seconds) {
  return new Date(seconds * 1000).toISOString().replace("T", " ").replace(/\.?0*Z$/, "");
}
function span(seconds) {
  if (seconds < 1) return Math.round(seconds * 1000) + "ms";
  let rest = Math.round(seconds), text = "";
  for (const [unit, size] of [["d", 86400], ["h", 3600], ["m", 60], ["s", 1]]) {
    if (rest >= size) text += Math.floor(rest / size) + unit;
    rest %= size;
  }
  return text || "0s";
}
function ink() { return getComputedStyle(document.body).color; }
function grid() { return getComputedStyle(document.documentElement).getPropertyValue("--line"); }

function table(heads, rows, numbers) {
  const side = i => (numbers.includes(i) ? { class: "n" } : {});
  return element("div", { class: "wide" }, element("table", {},
    element("thead", {}, element("tr", {}, ...heads.map((head, i) => element("th", side(i), head)))),
    element("tbody", {}, ...rows.map(row => element("tr", {},
      ...row.map((cell, i) => element("td", side(i), cell instanceof Node ? cell : String(cell))))))));
}
function severity(name) { return element("span", { class: "sev " + name }, name); }

// Alarms behind the curves: a band of the severity's colour from raised to cleared.
function bands(device) {
  return u => {
    const { left, top, width, height } = u.bbox;
    u.ctx.save();
    for (const alarm of device.alarms) {
      const from = Math.max(u.valToPos(alarm.from, "x", true), left);
      const to = Math.min(u.valToPos(alarm.to === null ? run.to : alarm.to, "x", true), left + width);
      if (to < left || from > left + width) continue;
      u.ctx.globalAlpha = 0.13;
      u.ctx.fillStyle = severityColours[alarm.severity];
      u.ctx.fillRect(from, top, Math.max(to - from, 2), height);
      u.ctx.globalAlpha = 0.9;
      u.ctx.fillRect(from, top, Math.max(to - from, 2), 3 * devicePixelRatio);
    }
    u.ctx.strokeStyle = severityColours.info;
    u.ctx.globalAlpha = 0.8;
    u.ctx.setLineDash([4, 4]);
    for (const event of device.events) {
      const at = u.valToPos(event.at, "x", true);
      if (at < left || at > left + width) continue;
      u.ctx.beginPath();
      u.ctx.moveTo(at, top);
      u.ctx.lineTo(at, top + height);
      u.ctx.stroke();
    }
    u.ctx.restore();
  };
}

// 24 hours, UTC; the date below the first tick and each midnight.
function ticksOf(u, ticks, place, space, step) {
  return ticks.map((tick, i) => {
    const text = new Date(tick * 1000).toISOString();
    const day = i === 0 || tick % 86400 === 0 ? "\n" + text.slice(0, 10) : "";
    return text.slice(11, step < 1 ? 23 : step < 60 ? 19 : 16) + day;
  });
}

// Several fields of one unit on one time axis: where one has no sample, it has a gap to bridge.
function joined(fields) {
  return uPlot.join(fields.map(field => [field.at.map(at => run.from + at), field.values]));
}
function plot(device, title, fields, hooks) {
  const words = fields[0].words;
  const box = element("div", { class: "plot" }, element("h3", {}, title));
  const place = document.getElementById("plots");
  place.append(box);
  const axis = { stroke: ink, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1 } };
  const times = Object.assign({ values: ticksOf }, axis);
  const values = words ? { values: (u, ticks) => ticks.map(tick => words[tick] === undefined ? "" : words[tick]),
                           splits: () => words.map((word, i) => i) } : {};
  const made = new uPlot({
    width: place.clientWidth - 24,
    height: words ? 60 + 24 * words.length : 220,
    tzDate: at => uPlot.tzDate(new Date(at * 1000), "Etc/UTC"),
    cursor: { sync: { key: "run" } },
    scales: words ? { y: { range: [-0.2, words.length - 0.8] } } : {},
    axes: [times, Object.assign({ size: 70 }, axis, values)],
    series: [{ value: (u, at) => (at === null ? "" : clock(at)) }].concat(fields.map((field, i) => ({
      label: field.name + (field.unit ? " [" + field.unit + "]" : ""),
      stroke: colours[i % colours.length], width: 1.5, spanGaps: true, points: { show: field.at.length < 60 },
      dash: field.dash, paths: field.stepped || field.words ? uPlot.paths.stepped({ align: 1 }) : undefined,
      value: (u, value) => (value === null || value === undefined ? "" : field.words ? field.words[value] : value),
    }))),
    hooks: { drawClear: [bands(device)].concat(hooks), setScale: [(u, key) => { if (key === "x") zoom(u); }] },
  }, joined(fields), box);
  plots.push(made);
}
// Where a guardrail held a request back: a bar at the foot, in a colour of its own.
const guardrails = ["range", "interlock", "lockout", "maximum", "permissive", "minimum", "starts", "breaker", "slew", "ignore", "rate", "commands", "catch_up", "fleet"];
function held(actuator) {
  return u => {
    const { left, top, width, height } = u.bbox;
    u.ctx.save();
    for (const block of actuator.blocks) {
      const from = Math.max(u.valToPos(block.from, "x", true), left);
      const to = Math.min(u.valToPos(block.to === null ? run.to : block.to, "x", true), left + width);
      if (to < left || from > left + width) continue;
      u.ctx.fillStyle = colours[guardrails.indexOf(block.guardrail) % colours.length];
      u.ctx.fillRect(from, top + height - 5 * devicePixelRatio, Math.max(to - from, 2), 5 * devicePixelRatio);
    }
    u.ctx.restore();
  };
}
// Asked and applied, each in force until the next command.
function plotActuator(device, actuator) {
  const last = array => (array.length ? array.concat([array[array.length - 1]]) : array);
  const at = actuator.at.length ? actuator.at.concat([run.to - run.from]) : actuator.at;
  const curve = (name, values, dash) => ({ name, unit: actuator.unit, words: actuator.words, at, values: last(values),
    dash, stepped: true });
  plot(device, "actuator " + actuator.name + (actuator.blocks.length ? ", at its foot what held it back" : ""),
    [curve("applied", actuator.applied), curve("asked for", actuator.requested, [4, 4])], [held(actuator)]);
}
// What is zoomed in one plot is zoomed in all.
let zooming = false;
function zoom(from) {
  if (zooming) return;
  zooming = true;
  const { min, max } = from.scales.x;
  for (const other of plots) if (other !== from) other.setScale("x", { min, max });
  zooming = false;
}

function show(device) {
  for (const made of plots.splice(0)) made.destroy();
  const place = document.getElementById("plots");
  place.replaceChildren();
  const groups = new Map();
  for (const field of device.fields) {
    const key = field.words ? "word " + field.name : "unit " + field.unit;
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(field);
  }
  for (const fields of groups.values()) plot(device, fields.map(field => field.name).join(", "), fields, []);
  for (const actuator of device.actuators) plotActuator(device, actuator);
  for (const made of plots) made.setScale("x", { min: run.from, max: Math.max(run.to, run.from + 1) });
  const rows = device.alarms.map(alarm => [clock(alarm.from), "alarm", alarm.rule, severity(alarm.severity),
    alarm.to === null ? "not cleared" : span(alarm.to - alarm.from), alarm.message])
    .concat(device.events.map(event => [clock(event.at), "event", event.rule, "", "", event.message]));
  for (const actuator of device.actuators) {
    const shown = value => (actuator.words ? actuator.words[value] : value + (actuator.unit ? " " + actuator.unit : ""));
    actuator.at.forEach((at, i) => rows.push([clock(run.from + at), "command", actuator.name, shown(actuator.applied[i]), "",
      actuator.reasons[i] + (actuator.requested[i] === actuator.applied[i] ? "" : ", asked for " + shown(actuator.requested[i]))]));
    for (const block of actuator.blocks)
      rows.push([clock(block.from), "held back", actuator.name, shown(block.requested),
        block.to === null ? "to the end" : span(block.to - block.from), "by " + block.guardrail]);
  }
  rows.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
  const list = document.getElementById("list");
  list.replaceChildren(rows.length ? table(["at", "", "rule or actuator", "severity or value", "for", "message"], rows, []) :
    element("p", { class: "dim" }, "Nothing was told of this device."));
}

function start() {
  const page = document.getElementById("page");
  const choice = element("select", { id: "device" }, ...run.devices.map((device, i) =>
    element("option", { value: i }, device.id + " (" + device.class + ", " + device.alarms.length + " alarms)")));
  choice.addEventListener("change", () => show(run.devices[choice.value]));
  const left = run.left_out ? ` Shown are the ${run.devices.length} with the most alarms.` : "";
  page.append(
    element("h1", {}, run.title),
    element("p", { class: "dim" }, `${clock(run.from)} to ${clock(run.to)}, ${run.records} records, ` +
      `${run.devices.length + run.left_out} device${run.devices.length + run.left_out === 1 ? "" : "s"}. Written by flyball ${run.build}.`),
    element("h2", {}, "Alarms"),
    run.alarms.length ? table(["rule", "raised", "devices", "active", "longest", "fleeting", "chattering", "not cleared"],
      run.alarms.map(row => [row.rule, row.raised, row.devices, span(row.active), span(row.longest), row.fleeting,
        row.chattering, row.open]), [1, 2, 3, 4, 5, 6, 7]) : element("p", { class: "dim" }, "None was raised."),
    element("p", { class: "dim" }, "Fleeting: cleared within 10 s and quiet for 60 s. Chattering: raised and cleared " +
      "three times within a minute (so often it began)."),
    ...(run.actuators.length ? [element("h2", {}, "Actuators"),
      table(["actuator", "devices", "commands", "starts", "reversals", "reversals an hour", "active", "held back"],
        run.actuators.map(row => [row.name, row.devices, row.commands, row.starts, row.reversals,
          row.per_hour.toFixed(2), (100 * row.active).toFixed(1) + " %",
          Object.entries(row.blocked).map(([name, n]) => name + " " + n).join(", ")]), [1, 2, 3, 4, 5, 6])] : []),
    element("h2", {}, "Devices"),
    element("div", { class: "bar" }, element("label", {}, "Device ", choice),
      element("span", { class: "dim" }, "Drag to zoom, double-click for all." + left)),
    element("div", { id: "plots" }), element("div", { id: "list" }));
  if (run.devices.length) show(run.devices[0]);
  addEventListener("resize", () => {
    for (const made of plots) made.setSize({ width: document.getElementById("plots").clientWidth - 24, height: made.height });
  });
}
start();
