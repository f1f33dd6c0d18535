import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { execa } from "execa";
import { readSafetensorsFile } from "../../shared/model/safetensors.ts";
import { assertRefused, removeFolder, workFolder } from "./refusals.ts";
import { QUICK, sampleTexts, start } from "./tailtune.ts";

const folder = await workFolder();

test.before(() => writeFile(join(folder, "texts.tsv"), sampleTexts(40)));

test.after.always(() => removeFolder(folder));

/** Mounts a file system of that size as `disk` until the test ends; if not permitted, logs it and passes the test. */
async function mountDisk(t: ExecutionContext, size: string): Promise<boolean> {
	const disk = join(folder, "disk");
	await mkdir(disk, { recursive: true });
	const { failed, stderr } = await execa("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tailtune-test", disk], {
		reject: false,
	});
	if (failed) {
		t.log(`NOT TESTED: a small disk can't be mounted here: ${stderr || "no mount command"}`);
		t.pass();
	} else t.teardown(() => execa("umount", [disk]));
	return !failed;
}

const run = join(folder, "disk", "run");
const train = ["train", "--data", "texts.tsv", "--out", "disk/run", ...QUICK];
const full = (file: string, begins = true) => ({
	exitCode: 1 as const,
	message: `${run}/${file}: can't be written: no space is left on the disk`,
	begins,
});

test.serial("a folder in which none can be made is refused at once, in every command", async (t) => {
	const out = "/proc/tailtune/one";
	const message = `--out ${out}: can't be written: the folder doesn't exist`;
	for (const command of ["train", "sweep"])
		await assertRefused(t, folder, [command, "--data", "texts.tsv", ...QUICK, "--out", out], { exitCode: 1, message });
	const tracked = [...train, "--tensorboard", out];
	await assertRefused(t, folder, tracked, { exitCode: 1, message: message.replace("--out", "--tensorboard") });
});

test.serial("if the disk is too small for its settings, a run leaves no files", async (t) => {
	if (!(await mountDisk(t, "4k"))) return;
	await assertRefused(t, folder, train, full("config.json", false));
});

test.serial("if the disk is too small for the first checkpoint, a run leaves no files", async (t) => {
	if (!(await mountDisk(t, "1m"))) return;
	await assertRefused(t, folder, train, full("checkpoint.safetensors"));
});

test.serial(
	"if the disk fills up later, a run keeps its checkpoint and can be resumed when there is space",
	async (t) => {
		if (!(await mountDisk(t, "2m"))) return;
		// An epoch has 7 steps, so there is one checkpoint per epoch.
		const { exitCode, stderr } = await start([...train, "--checkpoint-every", "7", "--json"], {}, folder);
		t.is(exitCode, 1);
		const { error } = JSON.parse(String(stderr));
		t.deepEqual(error, { code: "disk", message: full("best-14.safetensors").message });
		const left = ["audit.jsonl", "best-7.safetensors", "checkpoint.safetensors", "config.json", "metrics.jsonl"];
		t.deepEqual((await readdir(run)).sort(), left);
		const checkpoint = await readSafetensorsFile(join(run, "checkpoint.safetensors"));
		t.like(JSON.parse(checkpoint.metadata.progress ?? ""), { epoch: 1 });

		await execa("mount", ["-o", "remount,size=5m", join(folder, "disk")]);
		const again = await start(["train", "--resume", run], {}, folder);
		t.is(String(again.stderr), `tailtune: ${full("model/model.safetensors").message}`);
		t.is(again.exitCode, 1);
		t.deepEqual((await readdir(run)).sort(), left.with(1, "best-14.safetensors"));

		await execa("mount", ["-o", "remount,size=64m", join(folder, "disk")]);
		const last = await start(["train", "--resume", run], {}, folder);
		t.is(String(last.stderr), "");
		t.is(last.exitCode, 0);
	},
);
