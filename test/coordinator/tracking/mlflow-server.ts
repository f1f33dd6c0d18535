// An MLflow server in memory, by MLflow's documentation of its REST API.
import type { IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import type { ExecutionContext } from "ava";
import { z } from "zod";
import { serveHttp } from "../../serve-http.ts";

const tag = z.strictObject({ key: z.string().regex(/^[\w./ -]+$/), value: z.string() });
const metric = z.strictObject({ key: tag.shape.key, value: z.number(), timestamp: z.int(), step: z.int() });
const param = z.strictObject({ key: tag.shape.key, value: z.string().max(500) });
const status = z.enum(["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"]);
const createExperiment = z.strictObject({ name: z.string() });
const create = z.strictObject({
	experiment_id: z.string(),
	run_name: z.string(),
	start_time: z.int(),
	tags: z.array(tag),
});
const search = z.strictObject({ experiment_ids: z.array(z.string()), filter: z.string(), max_results: z.int() });
const logBatch = z.strictObject({
	run_id: z.string(),
	metrics: z.array(metric).max(1000).default([]),
	params: z.array(param).max(100).default([]),
});
const update = z.strictObject({ run_id: z.string(), status, end_time: z.int().optional() });

interface StoredRun extends z.infer<typeof create> {
	readonly metrics: z.infer<typeof metric>[];
	readonly params: Map<string, string>;
	readonly statuses: string[];
}

/** Handles a request in another way. @returns whether it has done so */
type Disturb = (path: string, response: ServerResponse) => boolean;

export class MlflowServer {
	readonly experiments: string[] = [];
	readonly runs: StoredRun[] = [];
	readonly authorizations = new Set<string | undefined>();
	/** What the server refused. */
	readonly refusals: string[] = [];
	disturb: Disturb = () => false;
	address = "";

	static async start(t: ExecutionContext): Promise<MlflowServer> {
		const server = new MlflowServer();
		server.address = await serveHttp(t, (request, response) => void server.#respond(request, response));
		return server;
	}

	async #respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
		this.authorizations.add(request.headers.authorization);
		const { pathname, searchParams } = new URL(request.url ?? "", this.address);
		const body = await text(request);
		const path = `${request.method} ${pathname.replace("/api/2.0/mlflow/", "")}`;
		let answer: object;
		try {
			answer = this.#answer(path, searchParams.get("experiment_name"), body === "" ? undefined : JSON.parse(body));
		} catch (error) {
			this.refusals.push(String(error));
			answer = { error_code: "INVALID_PARAMETER_VALUE", message: String(error) };
		}
		if (this.disturb(path, response)) return;
		response.writeHead("error_code" in answer ? 404 : 200, { "Content-Type": "application/json" });
		response.end(JSON.stringify(answer));
	}

	#answer(path: string, experiment: string | null, body: unknown): object {
		switch (path) {
			case "GET experiments/get-by-name": {
				const id = this.experiments.indexOf(experiment ?? "");
				if (id >= 0) return { experiment: { experiment_id: String(id), name: experiment } };
				return { error_code: "RESOURCE_DOES_NOT_EXIST", message: "no such experiment" };
			}
			case "POST experiments/create":
				if (this.experiments.includes(createExperiment.parse(body).name))
					return { error_code: "RESOURCE_ALREADY_EXISTS", message: "the experiment exists" };
				return { experiment_id: String(this.experiments.push(createExperiment.parse(body).name) - 1) };
			case "POST runs/search":
				return this.#search(search.parse(body));
			case "POST runs/create":
				this.runs.push({ ...create.parse(body), metrics: [], params: new Map(), statuses: ["RUNNING"] });
				return { run: this.#describe(this.runs.length - 1) };
			case "POST runs/log-batch":
				return this.#log(logBatch.parse(body));
			case "POST runs/update": {
				const changed = update.parse(body);
				this.#run(changed.run_id).statuses.push(changed.status);
				return {};
			}
		}
		throw new Error(`${path}: not in the API`);
	}

	#search({ filter, experiment_ids }: z.infer<typeof search>): object {
		const [, key, value] = /^tags\.`([^`]+)` = '([^']*)'$/.exec(filter) ?? [];
		if (key === undefined) throw new Error(`${filter}: not a filter`);
		const found = this.runs.flatMap((run, i) => {
			const isWanted = run.tags.some((one) => one.key === key && one.value === value);
			return isWanted && experiment_ids.includes(run.experiment_id) ? [this.#describe(i)] : [];
		});
		return found.length > 0 ? { runs: found } : {};
	}

	#log({ run_id, metrics, params }: z.infer<typeof logBatch>): object {
		const run = this.#run(run_id);
		for (const { key, value } of params) {
			if ((run.params.get(key) ?? value) !== value) throw new Error(`${key}: a parameter can't be changed`);
			run.params.set(key, value);
		}
		// A repeated request changes nothing.
		const known = new Set(run.metrics.map((one) => JSON.stringify(one)));
		run.metrics.push(...metrics.filter((one) => !known.has(JSON.stringify(one))));
		return {};
	}

	#run(id: string): StoredRun {
		const run = this.runs[Number(id.slice(4))];
		if (!run) throw new Error(`${id}: no such run`);
		return run;
	}

	/** Latest values of metrics; numbers that are 0 are left out. */
	#describe(index: number): object {
		const latest = new Map<string, { key: string; step?: number }>();
		for (const { key, step } of this.runs[index]?.metrics ?? [])
			if (step >= (latest.get(key)?.step ?? 0)) latest.set(key, step === 0 ? { key } : { key, step });
		const metrics = [...latest.values()];
		return { info: { run_id: `run-${index}` }, data: metrics.length > 0 ? { metrics } : {} };
	}
}
