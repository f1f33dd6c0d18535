import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { BenchContext } from "./bench.ts";
import type { BenchTexts } from "./bench-texts.ts";
import { type Measured, runMeasured } from "./measured-process.ts";
import { THREADS } from "./tailtune-run.ts";

const reportSchema = z.object({
	complete: z.boolean(),
	/** Wall seconds of features, training and evaluations of the whole run; projected if the run was cut short. */
	projected_full_seconds: z.number(),
	step_ms: z.object({ median: z.number() }),
	accuracy: z.object({ test: z.number().nullable() }),
});

/** A measured run of a peer. */
export interface PeerRun extends Measured {
	readonly report: z.infer<typeof reportSchema>;
}

/** Programs that fine-tune the same model on the same texts in Python. */
export interface Peers {
	/** Runs a program to its end, for example `run("cached.py", ["--gemm", "default"])`. */
	run(program: string, flags: readonly string[]): Promise<PeerRun>;
}

const HOW = [
	"peers: not run. With --peers DIR (book.py, hf_trainer.py, cached.py, init_weights.py) they are compared with Tailtune;",
	"       --python BIN names a Python with them: pip install torch transformers accelerate safetensors numpy scikit-learn",
];

/** Prepares the peers with Tailtune's weights. Returns undefined, and logs the reason, if they can't be run. */
export async function openPeers(
	{ peers, log }: BenchContext,
	python: string,
	texts: BenchTexts,
	model: string,
	folder: string,
): Promise<Peers | undefined> {
	const reason = peers === undefined ? "" : await findObstacle(peers, python);
	if (peers === undefined || reason !== "") {
		for (const line of [...HOW, ...(reason === "" ? [] : [`       ${reason}`])]) log(line);
		return undefined;
	}
	const weights = join(folder, "weights");
	await runMeasured({ file: python, args: [join(peers, "init_weights.py"), "--from", model, "--out", weights] });
	await addContextLength(join(weights, "config.json"));
	return {
		async run(program, flags) {
			const inputs = ["--data", texts.folder, "--weights", weights, "--threads", `${THREADS}`];
			const measured = await runMeasured({ file: python, args: [join(peers, program), ...inputs, ...flags] });
			return { ...measured, report: reportSchema.parse(JSON.parse(measured.stdout)) };
		},
	};
}

/** Adds `n_ctx`, the older name of the context's length, which some programs read. */
async function addContextLength(file: string): Promise<void> {
	const config = z.looseObject({ n_positions: z.number() }).parse(JSON.parse(await readFile(file, "utf8")));
	await writeFile(file, JSON.stringify({ n_ctx: config.n_positions, ...config }));
}

async function findObstacle(peers: string, python: string): Promise<string> {
	const script = join(peers, "init_weights.py");
	if (!(await stat(script).catch(() => undefined))) return `--peers ${peers}: found no init_weights.py`;
	const imports = "import torch, transformers, accelerate, safetensors, numpy";
	return runMeasured({ file: python, args: ["-c", imports] }).then(
		() => "",
		(error: Error) => `--python ${python}: ${error.message.split("\n").at(-1)}`,
	);
}
