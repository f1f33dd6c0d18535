import { bdi, byId, element, setText, table } from "./dom.js";
import {
	formatBytes,
	formatCount,
	formatEta,
	formatLoss,
	formatPercent,
	formatProgress,
	formatRate,
	formatSeconds,
} from "./format-numbers.js";

/** Shows the name of the run, its model and its data. */
export function showHead({ run }) {
	if (!run) return;
	document.title = `${run.name}: Tailtune`;
	byId("name").replaceChildren(bdi(run.name));
	byId("lead").replaceChildren(element("strong", {}, run.model), " tuned on ", element("strong", {}, bdi(run.data)));
	const rows = run.settings.map(([flag, value]) =>
		element("div", {}, element("dt", {}, flag), element("dd", {}, bdi(value))),
	);
	byId("settings").replaceChildren(...rows);
}

/** Shows the phase that runs now: a bar, its units, and the time that is left; at the end the time of the run. */
export function showPhase({ phases, end }) {
	if (end?.state === "finished") return showBar("finished", `in ${formatSeconds(end.result.seconds.total)}`, 1);
	const phase = phases?.findLast(({ state }) => state === "running") ?? phases?.at(-1);
	if (!phase) return;
	const { name, unit, done, total, seconds, secondsLeft, state } = phase;
	const units = formatProgress(done, total, unit);
	const left = secondsLeft === null ? "" : `, ${formatEta(secondsLeft)}`;
	const time = state === "running" ? left : ` in ${formatSeconds(seconds)}`;
	showBar(end?.state ?? name, `${units}${time}`, total > 0 ? done / total : undefined);
}

function showBar(title, text, share) {
	const line = [element("strong", {}, bdi(title)), element("span", {}, text)];
	const bar = element("progress", { max: 1, value: share, "aria-label": title });
	byId("phase").replaceChildren(element("p", { class: "row" }, ...line), bar);
}

/** Shows the figures of the run now. */
export function showFigures({ run, epoch, speed, traffic, workers = [] }) {
	const texts = workers.reduce((sum, worker) => sum + worker.texts, 0);
	const computed = workers.reduce((sum, worker) => sum + worker.trunkTexts, 0);
	const figures = [
		["Epochs", run && `${epoch?.epoch ?? 0} of ${run.epochs}`],
		["Validation accuracy", epoch && formatPercent(epoch.validation.accuracy)],
		["Validation loss", epoch && formatLoss(epoch.validation.loss)],
		["Steps/s", speed && formatRate(speed[0])],
		["Training texts/s", speed && formatRate(speed[1])],
		["Bytes/s", traffic && formatBytes(traffic[0])],
		["Cache hits", texts > 0 && formatPercent(1 - computed / texts)],
	].filter(([, value]) => value);
	const list = byId("figures");
	if (list.children.length !== figures.length)
		list.replaceChildren(...figures.map(() => element("div", {}, element("dt"), element("dd"))));
	for (const [i, [name, value]] of figures.entries()) {
		setText(list.children[i].firstChild, name);
		setText(list.children[i].lastChild, value);
	}
}

/** Shows what is wrong and what to do, or nothing. */
export function showBanner({ notices = [], warnings = [], end }) {
	const problems = [
		...(end && end.state !== "finished" ? [{ text: end.message, advice: "" }] : []),
		...notices.toReversed(),
		...warnings.toReversed().map((text) => ({ text, advice: "" })),
	];
	const [first, ...others] = problems;
	const banner = byId("banner");
	banner.hidden = !first;
	const key = JSON.stringify(problems);
	if (!first || banner.dataset.key === key) return;
	banner.dataset.key = key;
	const isOpen = banner.querySelector("details")?.open ?? false;
	const more =
		others.length > 0 &&
		element(
			"details",
			{ open: isOpen },
			element("summary", {}, `${others.length} more`),
			element("ul", {}, ...others.map(({ text, advice }) => element("li", {}, bdi(`${text} ${advice}`)))),
		);
	banner.classList.toggle("mild", first.advice === "" && end?.state !== "failed");
	banner.replaceChildren(element("strong", {}, bdi(first.text)), " ", first.advice, more || "");
}

/** Shows the scores at the end of each epoch as a table. */
export function showEpochs({ curves }) {
	const names = ["train epoch loss", "validation epoch loss", "train epoch accuracy", "validation epoch accuracy"];
	const columns = names.map((name) => curves[name] ?? []);
	const heads = ["texts seen", "training loss", "validation loss", "training accuracy", "validation accuracy"];
	const rows = columns[0].map(([texts], i) => {
		const cells = columns.map((points, column) => points[i] && (column < 2 ? formatLoss : formatPercent)(points[i][2]));
		return element("tr", {}, ...[formatCount(texts), ...cells].map((cell) => element("td", {}, cell ?? "–")));
	});
	byId("epochs").replaceChildren(table("Values at the end of each epoch", heads, rows));
}
