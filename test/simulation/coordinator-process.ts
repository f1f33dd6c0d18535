import { announceRun } from "../../coordinator/cluster/cluster.ts";
import { countFactorTexts } from "../../coordinator/plan/count-factor-texts.ts";
import type { Bus } from "../../shared/bus/bus.ts";
import type { AnswerReceiver, CoordinatorTensors } from "../../shared/exchange/tensor-exchange.ts";
import { faultyBus, forgetfulBus } from "./faulty-bus.ts";
import type { Mutation } from "./mutation.ts";
import { RpcServer } from "./rpc-server.ts";
import type { Plan } from "./schedule.ts";
import { runAsProcess } from "./simulated-files.ts";
import { createToyRun, openToyState, runPhases, toyModel, toyTail } from "./toy-run.ts";
import { Node, type World } from "./world.ts";

/** An update of a toy run has several parts. */
const PART_BYTES = 256;

/** A simulated coordinator process. */
export class CoordinatorProcess {
	readonly node: Node;
	readonly server: RpcServer;
	readonly runId: string;
	#miscount: string | undefined;
	readonly #world: World;
	readonly #mutation: Mutation;
	readonly #interrupt = new AbortController();
	#announced: Awaited<ReturnType<typeof announceRun>> | undefined;

	/** @param restarts number of earlier coordinators */
	constructor(world: World, restarts: number, plan: Plan, mutation: Mutation) {
		this.#world = world;
		this.#mutation = mutation;
		this.node = new Node(`c${restarts}`, world);
		this.runId = `run-${restarts}`;
		this.server = new RpcServer(
			this.node,
			{
				onWorkerConnected: (workerId) => {
					if (!this.node.isDead) this.#announced?.dispatcher.connectWorker(workerId);
				},
				onWorkerLost: (workerId) => {
					world.log(`${this.node.name}: the stream of ${workerId} is broken`);
					if (!this.node.isDead && !mutation.ignoresBrokenStreams) this.#announced?.dispatcher.loseWorker(workerId);
				},
			},
			{ mostLogBytes: plan.mostLogBytes, partBytes: PART_BYTES },
		);
		world.log(`${this.node.name} starts`);
	}

	/**
	 * Runs to the end, from the last checkpoint in the run folder.
	 * @returns a hash of all results
	 * @throws TailtuneError "interrupted" after `interrupt`
	 */
	run(shared: Bus, plan: Plan, abandoned: readonly string[], folder: string): Promise<string> {
		return runAsProcess(this.node, () => this.#run(shared, plan, abandoned, folder));
	}

	/** Ctrl-C: the current step is finished and a checkpoint is written. */
	interrupt(): void {
		this.#interrupt.abort();
	}

	async #run(shared: Bus, plan: Plan, abandoned: readonly string[], folder: string): Promise<string> {
		const { node, runId } = this;
		const run = createToyRun(plan, folder, this.#interrupt.signal);
		const state = await openToyState(run);
		this.#world.log(`${node.name}: begins at step ${state.progress.step}`);
		const own = forgetfulBus(faultyBus(shared, node), node);
		const bus = this.#mutation.ofCoordinatorBus?.(own) ?? own;
		const tensors = this.#watchedTensors();
		this.#announced = await announceRun(
			bus,
			tensors,
			{
				runId,
				abandoned,
				model: toyModel,
				modelHash: "",
				tail: toyTail,
				factorTexts: countFactorTexts(run.config),
				trunkPrecision: "fp32",
				shards: plan.shards,
				engine: { engine: "auto", backend: "auto" },
				clock: node.clock,
				now: () => this.#world.clock.now,
			},
			node.name,
		);
		const { spec, dispatcher } = this.#announced;
		const cluster = { spec, dispatcher, tensors, refusals: () => ({}) };
		return runPhases({ ...run, cluster }, state);
	}

	/** An item that was counted twice, or a replica that differs; undefined if there is none. */
	get fault(): string | undefined {
		return this.#miscount ?? this.server.oracle.fault;
	}

	async close(): Promise<void> {
		this.server.leases.close();
		this.server.runs.closeRun(this.runId);
		await this.#announced?.dispatcher.stop();
	}

	/** Returns resources that should have been freed at the end of the run; undefined if there are none. */
	leftover(): string | undefined {
		const { states } = this.server.runs.held(this.runId);
		// One state is kept for workers that join.
		return states > 1 ? `${states} states are held` : undefined;
	}

	/** The exchange, with a check that no item is counted twice. */
	#watchedTensors(): CoordinatorTensors {
		const { runs, oracle } = this.server;
		return {
			hasReplicas: true,
			openRun: (runId, schema, answers, publish) => {
				const watched = this.#watched(answers);
				runs.openRun(runId, schema, this.#mutation.ofAnswers?.(watched) ?? watched, publish);
			},
			closeRun: (runId) => runs.closeRun(runId),
			publishState: async (runId, version, state) => {
				oracle.publish(version, state.parameters);
				await runs.publishState(runId, version, state);
			},
			dropState: (...args) => runs.dropState(...args),
			publishUpdate: (...args) => runs.publishUpdate(...args),
			lendGradientBuffers: (...args) => runs.lendGradientBuffers(...args),
		};
	}

	#watched(answers: AnswerReceiver): AnswerReceiver {
		const counted = new Set<number>();
		return {
			expect: (result, sizes) => answers.expect(result, sizes),
			accept: (answer) => {
				answers.accept(answer);
				const { serial, failure } = answer.result;
				if (failure) return;
				if (counted.has(serial)) this.#miscount = `item ${serial} was counted twice`;
				counted.add(serial);
			},
		};
	}
}
