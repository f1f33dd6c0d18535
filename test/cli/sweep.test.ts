import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import test, { type ExecutionContext } from "ava";
import { openRunsPage } from "../../coordinator/dashboard/open-runs-page.ts";
import type { LocalRun } from "../../coordinator/run-folder/local-runs.ts";
import { readRunResult } from "../../coordinator/run-folder/result-files.ts";
import { LOCK_FILE, lockRunFolder } from "../../coordinator/run-folder/run-lock.ts";
import { readSweep } from "../../coordinator/sweep/sweep-folder.ts";
import { CheckpointWriter } from "../../coordinator/training/checkpoint-writer.ts";
import { listChildren, untilGone } from "../cluster/processes.ts";
import {
	findBarriers,
	hasBrowser,
	launchChromium,
	openPage,
	saveScreenshot,
	waitForText,
} from "../coordinator/chromium.ts";
import { pageOptions } from "../coordinator/dashboard/page-options.ts";
import { readScalars } from "../coordinator/tracking/read-events.ts";
import { newFolder } from "../new-folder.ts";
import { start, tailtune, writeTexts } from "./tailtune.ts";

const modelHash = async (run: string) =>
	createHash("sha256")
		.update(await readFile(join(run, "model", "model.safetensors")))
		.digest("hex");

/** The events of a sweep that are about its trials. */
function trialEvents(stdout: string): [number: number, state: string][] {
	const events = stdout.split("\n").map((line) => JSON.parse(line));
	return events.filter(({ event }) => event === "trial").map(({ number, state }) => [number, state]);
}

/** Starts a sweep in a process of its own. @returns the process, and its events one after another */
function startSweep(args: readonly string[]) {
	const running = start([...args]);
	const lines = createInterface({ input: running.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
	/** Reads events up to the first one that fits. */
	const until = async (fits: (event: ReturnType<typeof JSON.parse>) => boolean) => {
		for (;;) {
			const { value, done } = await lines.next();
			if (done) throw new Error(`the sweep has ended: ${(await running).stderr}`);
			if (fits(JSON.parse(value))) return;
		}
	};
	return { running, until };
}

/** Returns the number of the process that trains a trial. */
function readHolder(run: string): number {
	return JSON.parse(readFileSync(join(run, LOCK_FILE), "utf8")).pid;
}

/**
 * Starts a sweep of three trials, the third of which diverges. The process of the second one is killed after its second
 * epoch, when the others have ended; then the whole sweep, while the second trial is resumed.
 */
async function killTwice(args: readonly string[], out: string): Promise<void> {
	const { running, until } = startSweep(args);
	const ended = new Set<number>();
	let holder = 0;
	await until(({ event, trial, epoch, number, state }) => {
		if (event === "trial" && state !== "begun") ended.add(number);
		if (event === "epoch" && trial === 2 && epoch === 2) {
			holder = readHolder(join(out, "trial-2"));
			process.kill(holder, "SIGSTOP");
		}
		return holder !== 0 && ended.size === 2;
	});
	process.kill(holder, "SIGKILL");
	await until(({ event, text }) => event === "warning" && text.includes("trial-2: the process of this trial died"));
	await until(({ event, number, state }) => event === "trial" && number === 2 && state === "resumed");
	const children = await listChildren(running.pid ?? 0);
	running.kill("SIGKILL");
	await running;
	await untilGone(children);
}

/** Lists the checkpoints that are written in this process: the number of their run and the step. */
function listCheckpoints(t: ExecutionContext): string[] {
	const writers: CheckpointWriter[] = [];
	const { begin } = CheckpointWriter.prototype;
	t.teardown(() => {
		CheckpointWriter.prototype.begin = begin;
	});
	const written: string[] = [];
	CheckpointWriter.prototype.begin = function (state, before) {
		if (!writers.includes(this)) writers.push(this);
		written.push(`${writers.indexOf(this)}: ${state.progress.step}`);
		return begin.call(this, state, before);
	};
	return written;
}

/** Opens the page of a folder with sweeps. @returns checks of the one in killed/; undefined if there is no browser */
async function openSweepPage(t: ExecutionContext, folder: string) {
	const browser = await launchChromium();
	if (!hasBrowser(t, browser, "the part with a page")) return undefined;
	t.teardown(() => browser.close());
	const server = await openRunsPage(folder, pageOptions());
	t.teardown(() => server.close());
	const { page, complaints } = await openPage(browser, server.url, 390, "dark");
	const curves = () => page.locator("#sweep polyline[points*=',']").count();
	/** Trial 2 was killed after its second epoch. This process locks its folder for a moment, as if it trained it. */
	const checkKilled = async () => {
		await waitForText(page, ".sweeps tr", "3 of 3");
		await page.getByRole("link", { name: "killed", exact: true }).click();
		await waitForText(page, ".phase", /interrupted.*2 of 3 trials have ended/s);
		t.is(await curves(), 1);
		const ranking = ".scroll[aria-label='Settings by validation score']";
		await page.focus(ranking);
		const lock = await lockRunFolder(join(folder, "killed", "trial-2"));
		await waitForText(page, ".phase", "trial-2 is trained");
		t.is(await curves(), 2);
		t.is(await page.locator(`${ranking}:focus`).count(), 1, "a section that hasn't changed keeps its focus");
		t.deepEqual(await findBarriers(page), []);
		await lock.release();
		await waitForText(page, ".phase", "interrupted");
	};
	/** The page has followed the resumed sweep. */
	const checkEnd = async () => {
		await waitForText(page, ".phase", /finished.*3 of 3/s);
		t.is(await curves(), 2);
		t.is(await page.locator(".ranking tbody tr").count(), 2);
		await saveScreenshot(page, "sweep-390-dark");
		await page.getByRole("link", { name: "trial-2" }).click();
		await waitForText(page, "h1", "trial-2");
		await page.goto(pathToFileURL(join(folder, "killed", "report.html")).href);
		await waitForText(page, "h1", "Comparison of 3 settings");
		t.is(await page.locator(".ranking tbody tr").count(), 2);
		await page.getByRole("link", { name: "trial-1" }).click();
		await waitForText(page, "h1", "Classifier for");
		t.deepEqual(complaints, []);
		await browser.close();
	};
	return { checkKilled, checkEnd };
}

const QUICK = ["--model", "demo", "--threads", "1", "--feature-cache", "0"];

test.serial(
	"trials at once have the bits of trials one after another, also if their processes and the sweep are killed",
	async (t) => {
		const folder = await newFolder();
		const data = await writeTexts(30);
		const quick = [...QUICK, "--epochs", "3", "--checkpoint-every", "1"];
		const curves = join(folder, "curves");
		const sweep = (out: string, atOnce = 2, cache = "1GiB") => {
			const given = ["--data", data, "--out", out, "--tensorboard", curves, "--lr", "1e-3,2e-3,1e30"];
			return ["sweep", "--json", ...given, ...quick, "--at-once", String(atOnce), "--feature-cache", cache];
		};
		const alone = (out: string) => sweep(out, 1, "0");
		const [whole, killed] = [join(folder, "whole"), join(folder, "killed")];
		const { stdout, stderr, exitCode } = await tailtune(...alone(whole));
		t.is(exitCode, 0, stderr);
		const order = [1, 2, 3].flatMap((trial) => [
			[trial, "begun"],
			[trial, trial === 3 ? "failed" : "finished"],
		]);
		t.deepEqual(trialEvents(stdout), order as [number, string][]);

		const followed = await openSweepPage(t, folder);
		await killTwice(sweep(killed), killed);
		t.false(existsSync(join(killed, "trial-2", "result.json")), "the trial had ended before the process was killed");
		t.deepEqual(
			(await readSweep(killed)).trials.map(({ state }) => state),
			["finished", "waiting", "failed"],
		);
		const { runs } = JSON.parse((await tailtune("runs", killed, "--json")).stdout);
		const second = runs.find(({ folder: run }: LocalRun) => run === "trial-2");
		t.is(second.state, "interrupted");
		t.true(second.epoch === 1 || second.epoch === 2, "the epoch of the last checkpoint");
		const texts = await readFile(data, "utf8");
		await writeFile(data, texts.slice(0, texts.trimEnd().lastIndexOf("\n") + 1));
		const changed = await tailtune(...sweep(killed));
		t.is(changed.exitCode, 1);
		t.regex(changed.stderr, /: not the texts of the trials before trial-2; put those there again/);
		await writeFile(data, texts);
		const { mtimeMs } = await stat(join(killed, "trial-1", "result.json"));
		await followed?.checkKilled();
		// A temporary file, as left by a process that is killed while it makes the folder of a trial.
		await writeFile(join(killed, ".sweep.json.123-0a1b2c3d.tmp"), "half");
		const again = await tailtune(...sweep(killed));
		t.deepEqual(trialEvents(again.stdout), [
			[1, "finished"],
			[2, "resumed"],
			[2, "finished"],
			[3, "failed"],
		]);
		const counts = await Promise.all([1, 2].map((trial) => readRunResult(join(killed, `trial-${trial}`))));
		t.deepEqual(
			counts.map(({ trunk }) => trunk.texts),
			[60, 0],
			"features are computed once",
		);
		await followed?.checkEnd();
		t.is((await stat(join(killed, "trial-1", "result.json"))).mtimeMs, mtimeMs);
		t.is(await modelHash(join(killed, "trial-2")), await modelHash(join(whole, "trial-2")));
		const losses = async (...path: string[]) => {
			const scalars = await readScalars(join(curves, ...path));
			return scalars.filter(({ tag }) => tag.startsWith("loss/")).map(({ tag, step, value }) => [tag, step, value]);
		};
		t.deepEqual(await losses("killed", "trial-2"), await losses("whole", "trial-2"));
		t.is((await losses("killed", "trial-2")).filter(([tag]) => tag === "loss/validation").length, 3);

		const [one, other] = [await readSweep(whole), await readSweep(killed)];
		const scores = ({ trials }: typeof one) => trials.map(({ score, state, error = "" }) => [score, state, error]);
		t.deepEqual(scores(other), scores(one));
		t.regex(one.trials[2]?.error ?? "", /finite/);
		t.is(one.ranking.length, 2);
		t.truthy(one.finishedAt);
		const [first] = one.ranking;
		const best = one.trials.find(({ values }) => values.lr === first?.values.lr);
		const result = await readRunResult(join(whole, best?.folder ?? ""));
		t.is(one.best?.folder, best?.folder);
		t.deepEqual(one.best?.test.accuracy, { mean: result.accuracy.test, deviation: null });

		const shown = (await tailtune("sweep", "--resume", whole)).stdout;
		t.regex(shown, /trial 3 of 3 {2}--lr 1e\+30 --seed 123 {2}failed: /);
		t.regex(shown, /│ lr +│ accuracy \(validation\) │ trials │ +time │/);
		t.regex(shown, /\n1 of 3 trials failed; they are not in the table\n/);
		t.regex(shown, /\ntest scores of the best setting: accuracy \d+\.\d %, macro F1/);
		const refused = await tailtune(...alone(whole), "--epochs", "4");
		t.regex(refused.stderr, /the folder holds a sweep with other settings; expected a new one/);
		const unfit = join(folder, "unfit");
		t.is((await tailtune("sweep", "--data", data, "--out", unfit, "--model", "demo", "--batch", "999")).exitCode, 2);
		t.false(existsSync(unfit), "a refused sweep leaves no folder");
	},
);

test.serial(
	"successive halving resumes the better trials to the models of full runs, also at once and after Ctrl-C",
	async (t) => {
		const folder = await newFolder();
		const settings = ["--data", await writeTexts(30), ...QUICK, "--epochs", "4", "--schedule", "linear"];
		const sweep = (out: string, atOnce: number) => {
			const values = ["--metric", "loss", "--lr", "1e-6,1e30,1e-3,3e-3", "--at-once", String(atOnce)];
			return ["sweep", "--json", "--halving", "--out", join(folder, out), ...values, ...settings];
		};
		const checkpoints = listCheckpoints(t);
		const { stdout, stderr, exitCode } = await tailtune(...sweep("whole", 1));
		t.is(exitCode, 0, stderr);
		t.true(checkpoints.length >= 5, "at least one checkpoint for each of the five pauses");
		t.is(new Set(checkpoints).size, checkpoints.length, "no checkpoint is written twice");
		const phases = stdout.split("\n").map((line) => JSON.parse(line));
		const count = (event: string) => phases.filter((one) => one.event === event && one.name === "training").length;
		// One of the seven begins in vain, because its training diverges.
		t.deepEqual([count("phase"), count("phase-done")], [7, 6]);
		const { trials, ranking, halving, best } = await readSweep(join(folder, "whole"));
		t.deepEqual(halving?.rungs, [
			{ epochs: 1, settings: 4 },
			{ epochs: 2, settings: 2 },
			{ epochs: 4, settings: 1 },
		]);
		t.deepEqual(
			trials.map(({ state, epochs, rung }) => [state, epochs, rung]),
			[
				["stopped", 1, 1],
				["failed", undefined, 1],
				["stopped", 2, 2],
				["finished", 4, 3],
			],
		);
		t.deepEqual(
			ranking.map(({ values, epochs }) => [values.lr, epochs]),
			[
				[3e-3, 4],
				[1e-3, 2],
				[1e-6, 1],
			],
		);
		t.deepEqual(trialEvents(stdout), [
			...[1, 2, 3, 4].flatMap((trial) => [
				[trial, "begun"],
				[trial, trial === 2 ? "failed" : "paused"],
			]),
			...[3, 4].flatMap((trial) => [
				[trial, "resumed"],
				[trial, "paused"],
			]),
			[4, "resumed"],
			[4, "finished"],
		] as [number, string][]);
		const alone = join(folder, "alone");
		await tailtune("train", "--out", alone, "--lr", "3e-3", ...settings);
		t.is(await modelHash(join(folder, "whole", best?.folder ?? "")), await modelHash(alone));

		const { running, until } = startSweep(sweep("stopped", 2));
		const begun = new Set<number>();
		await until(({ event, trial, epoch }) => begun.add(event === "epoch" && epoch === 2 ? trial : 0).size === 3);
		const children = await listChildren(running.pid ?? 0);
		t.is(children.length, 2);
		running.kill("SIGINT");
		const ended = await running;
		t.is(ended.exitCode, 130);
		t.regex(ended.stderr, /stopped; to resume: npx tailtune sweep --resume /);
		await untilGone(children);
		t.is((await tailtune(...sweep("stopped", 2))).exitCode, 0);
		const stopped = await readSweep(join(folder, "stopped"));
		const withoutTimes = (of: typeof trials) => of.map(({ seconds: _, preparation: __, ...trial }) => trial);
		t.deepEqual(withoutTimes(stopped.trials), withoutTimes(trials));
		const shown = (await tailtune("sweep", "--resume", join(folder, "whole"))).stdout;
		const report = await readFile(join(folder, "whole", "report.html"), "utf8");
		t.deepEqual(report.match(/(?<=<a href=")[^"]+/g), [`${best?.folder}/report.html`]);
		t.is(report.match(/<polyline points="[^"]/g)?.length, 3);
		t.regex(shown, /│ lr +│ epochs │ loss \(validation\) │/);
		t.regex(shown, /\nsuccessive halving: 4 up to 1 epoch, 2 up to 2 epochs, 1 up to 4 epochs; /);
	},
);
