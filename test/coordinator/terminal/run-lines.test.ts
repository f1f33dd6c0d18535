import test from "ava";
import { runDetails, runsTable, workersTable } from "../../../coordinator/terminal/run-lines.ts";
import type { RunView } from "../../../shared/bus/bus.ts";
import { someProgress, someRun, someWorker } from "../../shared/bus/messages.ts";

const assignments = [0, 1].map((shard) => ({ runId: "run", shard, workerId: "east" }));
const run: RunView = { spec: someRun({ tensorsAddress: "host:7070" }), assignments, progress: someProgress() };

test("a run is shown with what it tunes and how far it has come", (t) => {
	const [, , , row] = runsTable([run]);
	t.regex(row ?? "", /run .* first .* demo .* texts\.tsv .* 2026-03-1\d \d\d:\d\d .* last-block .* 2 /);
	t.regex(
		row ?? "",
		/ training 3 of 9 steps \(0\.5\/s, about 12 s left\), epoch 1 of 3 .* accuracy 75.0 %, loss 0.250/,
	);
	const unknown = { ...run, progress: someProgress({ secondsLeft: 0 }) };
	t.regex(runsTable([unknown])[3] ?? "", / training 3 of 9 steps, epoch 1 of 3 /);
	t.regex(runsTable([{ ...run, progress: undefined }])[3] ?? "", /no heartbeat from the coordinator/);
	const heldUp = { ...run, progress: someProgress({ notices: ["no worker is there"] }) };
	t.regex(runsTable([heldUp])[3] ?? "", /about 12 s left\), epoch 1 of 3, waiting /);
	t.true(runDetails(heldUp).includes("notice     no worker is there"));
	t.deepEqual(runsTable([]), ["no runs"]);
});

test("all that is known of a run is told in a line a fact, and nothing that it says moves the cursor", (t) => {
	const workers = [{ workerId: "east", state: "waiting", speed: 1, texts: 3 }];
	const progress = someProgress({ folder: "/runs/\u001b[2J", validation: null, workers });
	const details = runDetails({ ...run, progress });
	t.deepEqual(
		details.filter((line) => !line.startsWith("started")),
		[
			"run        run",
			"name       first",
			"model      demo, weights abc",
			"data       /data/texts.tsv",
			"trainable  last-block, 2 classes",
			"shards     2",
			"           2 on east, waiting",
			"progress   training 3 of 9 steps (0.5/s, about 12 s left), epoch 1 of 3",
			"validation ",
			"address    host:7070",
			"folder     /runs/\\x1b[2J on here",
		],
	);
});

test("a worker is shown with what it computes with and its shards by run", (t) => {
	const device = "NVIDIA L4, 22.5 GiB, driver 550.54.15, CUDA 12.4";
	const [, , , row] = workersTable([{ ...someWorker("east"), device, shards: assignments }]);
	t.regex(
		row ?? "",
		/east .* onnx cpu, tfjs wasm .* 1\.0 .* NVIDIA L4, 22\.5 GiB, driver .*, CUDA 12\.4 .* 2 .* 2 of run/,
	);
	t.deepEqual(workersTable([]), ["no workers"]);
});
