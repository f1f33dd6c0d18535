import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import test, { type ExecutionContext } from "ava";
import { openRunsPage } from "../../coordinator/dashboard/open-runs-page.ts";
import type { LocalRun } from "../../coordinator/run-folder/local-runs.ts";
import { readRunResult } from "../../coordinator/run-folder/result-files.ts";
import { lockRunFolder } from "../../coordinator/run-folder/run-lock.ts";
import { readSweep } from "../../coordinator/sweep/sweep-folder.ts";
import { CheckpointWriter } from "../../coordinator/training/checkpoint-writer.ts";
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

/** Starts a sweep and kills its process at the end of an epoch of a trial. */
async function killInTrial(args: readonly string[], number: number, epoch: number): Promise<void> {
	const running = start([...args]);
	const lines = createInterface({ input: running.stdout as NodeJS.ReadableStream });
	let trial = 0;
	for await (const line of lines) {
		const event = JSON.parse(line);
		if (event.event === "trial") trial = event.number;
		if (trial === number && event.event === "epoch" && event.epoch === epoch) break;
	}
	running.kill("SIGKILL");
	await running;
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
	/** Trial 2 was killed after its first epoch. This process locks its folder for a moment, as if it trained it. */
	const checkKilled = async () => {
		await waitForText(page, ".sweeps tr", "3 of 3");
		await page.getByRole("link", { name: "killed", exact: true }).click();
		await waitForText(page, ".phase", /interrupted.*1 of 3 trials have ended/s);
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
	"a sweep that is killed is continued by the same command, and a page follows it; a trial that diverges is left out",
	async (t) => {
		const folder = await newFolder();
		const data = await writeTexts(30);
		const quick = [...QUICK, "--epochs", "2", "--checkpoint-every", "1"];
		const curves = join(folder, "curves");
		const sweep = (out: string) => {
			const given = ["--data", data, "--out", out, "--tensorboard", curves, "--lr", "1e-3,2e-3,1e30"];
			return ["sweep", "--json", ...given, ...quick];
		};
		const [whole, killed] = [join(folder, "whole"), join(folder, "killed")];
		const { stdout, stderr, exitCode } = await tailtune(...sweep(whole));
		t.is(exitCode, 0, stderr);
		const order = [1, 2, 3].flatMap((trial) => [
			[trial, "begun"],
			[trial, trial === 3 ? "failed" : "finished"],
		]);
		t.deepEqual(trialEvents(stdout), order as [number, string][]);

		const followed = await openSweepPage(t, folder);
		await killInTrial(sweep(killed), 2, 1);
		t.false(existsSync(join(killed, "trial-2", "result.json")), "the trial had ended before the process was killed");
		t.deepEqual(
			(await readSweep(killed)).trials.map(({ state }) => state),
			["finished", "waiting", "waiting"],
		);
		const { runs } = JSON.parse((await tailtune("runs", killed, "--json")).stdout);
		t.deepEqual(
			runs.map(({ folder: run, state, epoch }: LocalRun) => [run, state, epoch]),
			[
				["trial-1", "finished", (await readRunResult(join(killed, "trial-1"))).kept.epoch],
				["trial-2", "interrupted", 1],
			],
		);
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
			[3, "begun"],
			[3, "failed"],
		]);
		await followed?.checkEnd();
		t.is((await stat(join(killed, "trial-1", "result.json"))).mtimeMs, mtimeMs);
		t.is(await modelHash(join(killed, "trial-2")), await modelHash(join(whole, "trial-2")));
		const losses = async (...path: string[]) => {
			const scalars = await readScalars(join(curves, ...path));
			return scalars.filter(({ tag }) => tag.startsWith("loss/")).map(({ tag, step, value }) => [tag, step, value]);
		};
		t.deepEqual(await losses("killed", "trial-2"), await losses("whole", "trial-2"));
		t.is((await losses("killed", "trial-2")).filter(([tag]) => tag === "loss/validation").length, 2);

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
		const refused = await tailtune(...sweep(whole), "--epochs", "4");
		t.regex(refused.stderr, /the folder holds a sweep with other settings; expected a new one/);
		const unfit = join(folder, "unfit");
		t.is((await tailtune("sweep", "--data", data, "--out", unfit, "--model", "demo", "--batch", "999")).exitCode, 2);
		t.false(existsSync(unfit), "a refused sweep leaves no folder");
	},
);

test.serial("successive halving resumes the better trials to the models of full runs, also after a kill", async (t) => {
	const folder = await newFolder();
	const settings = ["--data", await writeTexts(30), ...QUICK, "--epochs", "4", "--schedule", "linear"];
	const sweep = (out: string) => {
		const values = ["--metric", "loss", "--lr", "1e-6,1e30,1e-3,3e-3"];
		return ["sweep", "--json", "--halving", "--out", join(folder, out), ...values, ...settings];
	};
	const checkpoints = listCheckpoints(t);
	const { stdout, stderr, exitCode } = await tailtune(...sweep("whole"));
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

	await killInTrial(sweep("killed"), 3, 2);
	t.is((await tailtune(...sweep("killed"))).exitCode, 0);
	const killed = await readSweep(join(folder, "killed"));
	const withoutTimes = (of: typeof trials) => of.map(({ seconds: _, preparation: __, ...trial }) => trial);
	t.deepEqual(withoutTimes(killed.trials), withoutTimes(trials));
	const shown = (await tailtune("sweep", "--resume", join(folder, "whole"))).stdout;
	const report = await readFile(join(folder, "whole", "report.html"), "utf8");
	t.deepEqual(report.match(/(?<=<a href=")[^"]+/g), [`${best?.folder}/report.html`]);
	t.is(report.match(/<polyline points="[^"]/g)?.length, 3);
	t.regex(shown, /│ lr +│ epochs │ loss \(validation\) │/);
	t.regex(shown, /\nsuccessive halving: 4 up to 1 epoch, 2 up to 2 epochs, 1 up to 4 epochs; /);
});
