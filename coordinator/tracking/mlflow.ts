import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { CONFIG_FILE } from "../run-folder/run-folder.ts";
import { VERSION } from "../software-versions.ts";
import { MlflowApi } from "./mlflow-api.ts";
import { type TrackedEnd, type TrackedPoint, type TrackedRun, type Tracker, trackedSettings } from "./tracker.ts";

/** MLflow's limits for one request. */
const MOST = { params: 100, metrics: 1000 } as const;
/** MLflow's limit for a value, before version 2.10. */
const MOST_CHARACTERS = 500;
/** Name of the tag by which a resumed run finds its earlier part. */
const ID_TAG = "tailtune.run";
const STATUS = { finished: "FINISHED", failed: "FAILED", interrupted: "KILLED" } as const;

const anySchema = z.looseObject({});
const idSchema = z.object({ experiment_id: z.string() });
const experimentSchema = z.object({ experiment: idSchema });
// MLflow leaves out numbers that are 0, and writes 64-bit numbers as text in some versions.
const metricSchema = z.object({ key: z.string(), step: z.coerce.number().default(0) });
const runSchema = z.object({
	info: z.object({ run_id: z.string() }),
	data: z.object({ metrics: z.array(metricSchema).default([]) }).default({ metrics: [] }),
});
const createdSchema = z.object({ run: runSchema });
const foundSchema = z.object({ runs: z.array(runSchema).default([]) });

/**
 * Uses an MLflow server; it is called when the first run begins. Runs are recorded in the experiment
 * MLFLOW_EXPERIMENT_NAME, by default "tailtune", which is made if it doesn't exist.
 * @param signal ends all calls
 * @param answerMs time for each answer; default: MLFLOW_ANSWER_MS
 * @throws TailtuneError "usage" that names --mlflow
 */
export function openMlflow(address: string, signal: AbortSignal, answerMs?: number): Tracker {
	return new Mlflow(new MlflowApi(address, signal, answerMs));
}

class Mlflow implements Tracker {
	readonly name = "MLflow";
	readonly #api: MlflowApi;
	#runId = "";
	/** Last step of each metric that earlier processes have recorded. */
	#recorded: ReadonlyMap<string, number> = new Map();

	constructor(api: MlflowApi) {
		this.#api = api;
	}

	async start(run: TrackedRun): Promise<void> {
		const { info, data } = await this.#openRun(run);
		this.#runId = info.run_id;
		this.#recorded = new Map(data.metrics.map(({ key, step }) => [key, step]));
		const params = trackedSettings(run.config).map(([key, value]) => ({
			key,
			value: String(value).slice(0, MOST_CHARACTERS),
		}));
		await this.#logBatches("params", params);
		await this.log(run.earlier);
	}

	async log(points: readonly TrackedPoint[]): Promise<void> {
		const metrics = points.flatMap(({ step, time, scalars }) =>
			Object.entries(scalars)
				.filter(([key]) => step > (this.#recorded.get(key) ?? -1))
				.map(([key, value]) => ({ key, value, timestamp: Math.floor(time), step })),
		);
		await this.#logBatches("metrics", metrics);
	}

	async end({ outcome, scores }: TrackedEnd): Promise<void> {
		if (scores) await this.log([scores]);
		await this.#api.call(anySchema, "runs/update", {
			run_id: this.#runId,
			status: STATUS[outcome],
			end_time: Date.now(),
		});
	}

	/**
	 * Finds or creates the server's run. A run is searched for even if it is new: if an answer was lost, the server may
	 * have created it already.
	 */
	async #openRun({ name, folder }: TrackedRun): Promise<z.infer<typeof runSchema>> {
		const experiment = await this.#openExperiment();
		const { mtimeMs } = await stat(join(folder, CONFIG_FILE));
		const id = createHash("sha256").update(`${name} ${mtimeMs}`).digest("hex");
		const query = { experiment_ids: [experiment], filter: `tags.\`${ID_TAG}\` = '${id}'`, max_results: 1 };
		const [found] = (await this.#api.call(foundSchema, "runs/search", query)).runs;
		if (found) {
			await this.#api.call(anySchema, "runs/update", { run_id: found.info.run_id, status: "RUNNING" });
			return found;
		}
		const tags = [
			{ key: ID_TAG, value: id },
			{ key: "mlflow.source.name", value: `tailtune ${VERSION}` },
		];
		const created = { experiment_id: experiment, run_name: name, start_time: Math.floor(mtimeMs), tags };
		return (await this.#api.call(createdSchema, "runs/create", created)).run;
	}

	async #openExperiment(): Promise<string> {
		const name = process.env.MLFLOW_EXPERIMENT_NAME || "tailtune";
		const path = `experiments/get-by-name?experiment_name=${encodeURIComponent(name)}`;
		const find = async () => (await this.#api.find(experimentSchema, path))?.experiment;
		const create = () =>
			this.#api.call(idSchema, "experiments/create", { name }).catch(async (error: unknown) => {
				const made = await find(); // by another process meanwhile
				if (made) return made;
				throw error;
			});
		return ((await find()) ?? (await create())).experiment_id;
	}

	async #logBatches(field: keyof typeof MOST, all: readonly object[]): Promise<void> {
		for (let from = 0; from < all.length; from += MOST[field]) {
			const batch = all.slice(from, from + MOST[field]);
			await this.#api.call(anySchema, "runs/log-batch", { run_id: this.#runId, [field]: batch });
		}
	}
}
