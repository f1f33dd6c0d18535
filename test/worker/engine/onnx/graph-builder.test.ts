import { posix, win32 } from "node:path";
import test from "ava";
import { splitDrive } from "../../../../worker/engine/onnx/graph-builder.ts";

test("a stored tensor's file is named relative to its own drive, which may differ from the working folder's", (t) => {
	const file = "models\\gpt2\\model.safetensors";
	t.deepEqual(splitDrive(`D:\\${file}`, win32), { drive: "D:\\", location: file });
	t.deepEqual(splitDrive(`\\\\host\\share\\${file}`, win32), { drive: "\\\\host\\share\\", location: file });
	t.deepEqual(splitDrive("/models/gpt2/model.safetensors", posix), {
		drive: "/",
		location: "models/gpt2/model.safetensors",
	});
});
