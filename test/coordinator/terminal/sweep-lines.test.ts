import test from "ava";
import type { RunEvent } from "../../../coordinator/events/schemas.ts";
import { createPaint } from "../../../coordinator/terminal/paint.ts";
import { sweepLines, trialLines } from "../../../coordinator/terminal/sweep-lines.ts";
import { summarizeTrials } from "../../../coordinator/terminal/sweep-terminal.ts";
import { sampleLine } from "../run-folder/sample-run.ts";
import { sampleSweep } from "../sweep/sample-sweep.ts";

const plain = createPaint(false, {});

test("a sweep ends with its settings, the best one first, and the test scores of that one only", (t) => {
	const lines = sweepLines("/sweep", sampleSweep(), plain).map((line) => line.replaceAll(/ +/g, " "));
	t.deepEqual(
		lines.slice(2, -1).filter((line) => !/^├/.test(line)),
		[
			"│ lr │ macro F1 (validation) │ trials │ time │",
			"│ 0.001 │ 88.0 % ± 2.8 │ 2 │ 11 s │",
			"│ 0.1 │ 82.0 % ± 2.8 │ 2 │ 12 s │",
			"└───────┴───────────────────────┴────────┴──────┘",
			"mean ± standard deviation over 2 seeds; each seed also splits the data in another way",
			"",
			"test scores of the best setting: accuracy 91.0 % ± 2.0, macro F1 90.0 % ± 1.2, loss 0.300 ± 0.010",
			"(other settings: not shown, because a setting chosen by test scores would look better than it is)",
			"",
			"report /sweep/report.html",
			"results /sweep",
		],
	);
	t.is(lines.at(-1), 'classify npx tailtune classify /sweep/trial-1 "your text"');
	const close = { ...sampleSweep(), folds: 5 };
	close.ranking[1] = {
		...(close.ranking[1] as (typeof close.ranking)[number]),
		validation: { mean: 0.87, deviation: 0.01 },
	};
	const text = sweepLines("/sweep", close, plain).join("\n");
	t.regex(text, /\nthe first two settings differ by less than one standard deviation: this may be chance\n/);
	t.regex(text, /\nmean ± standard deviation over 5 folds and 2 seeds;/);
});

test("experiments of the book are shown with its row and accuracy, its name and its page", (t) => {
	const sample = sampleSweep();
	const values = [{}, { model: "openai-community/gpt2-xl", trainable: "all" }];
	const trials = sample.trials.map((trial, i) => ({ ...trial, values: values[i % 2] ?? {} }));
	const ranking = sample.ranking.map((row, i) => ({ ...row, values: values[i] ?? {} }));
	const book = { ...sample, experiments: "book" as const, metric: "accuracy" as const, trials, ranking };
	const text = sweepLines("/sweep", book, plain).join("\n").replaceAll(/ +/g, " ");
	t.regex(text, /│ row │ model │ trainable │ accuracy \(validation\) │ the book's │ trials │ time │/);
	t.regex(text, /│ 1 │ – │ – │ 88\.0 % ± 2\.8 │ 99\.3 % │ 2 │ 11 s │/);
	t.regex(text, /│ 9 │ openai-community\/gpt2-xl │ all │ 82\.0 % ± 2\.8 │ 98\.7 % │ 2 │ 12 s │/);
	t.regex(text, /Sebastian Raschka, Build a Large Language Model \(From Scratch\)/);
	t.regex(text, /https:\/\/github\.com\/rasbt\/LLMs-from-scratch\//);
});

test("the end of a trial is one line; other events of its run are left out, and a remark is printed once", (t) => {
	const trial = {
		...{ event: "trial" as const, number: 2, trials: 12, folder: "/s/trial-02", values: { lr: 0.1, evalEvery: 5 } },
		...{ seed: 7, fold: "1/3", state: "finished" as const, metric: "loss" as const },
		...{ score: 0.25, seconds: 61, secondsLeft: 600 },
	};
	t.deepEqual(trialLines(trial), [
		"trial  2 of 12  --lr 0.1 --eval-every 5 --seed 7 --fold 1/3  loss 0.250  1 min 01 s  about 10 min 00 s left",
	]);
	t.deepEqual(trialLines({ ...trial, state: "begun" }), []);
	const passed: string[] = [];
	const listen = summarizeTrials(({ event }: RunEvent) => passed.push(event));
	for (const _ of [1, 2]) {
		listen({ event: "line", text: "5 texts are equal" });
		listen({ event: "epoch", ...sampleLine("epoch", 130) });
		listen(trial);
	}
	t.deepEqual(passed, ["line", "trial", "trial"]);
});
