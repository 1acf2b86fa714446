# SPDX-License-Identifier: MIT
"""Those who take part: each is started once and then asked for rounds."""
import dataclasses
import math
import os
import pathlib
import shutil
import statistics
import subprocess
import sys

from .process import Missing, Server, System, once

BATCHES_OF_A_MAP = "5,25,125"  # of which a peer takes the one that suits it
TRIAL_S = 0.5  # of each way to run a peer, at least
DARKNET_BATCH = 8  # it works through a batch image by image, a second for each in training

# Memory stays in the process: otherwise page faults decide, above all on virtual machines.
KEEP_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(1 << 40),
               "MALLOC_TOP_PAD_": str(64 << 20)}
AVX2_ONLY = {"ONEDNN_MAX_CPU_ISA": "AVX2", "DNNL_MAX_CPU_ISA": "AVX2",
             "OPENBLAS_CORETYPE": "Haswell", "ATEN_CPU_CAPABILITY": "avx2"}
OPTIMISED_BLAS = ("openblas", "blis", "mkl", "atlas")

PYTORCH_WAYS = {  # what someone who knows PyTorch would try; the quickest takes part
    ("forward", "f32"): ["", "channels_last", "frozen", "channels_last,frozen"],
    ("forward", "bf16"): ["channels_last", "channels_last,frozen"],
    ("train", "f32"): ["", "channels_last"],
    ("train", "bf16"): ["", "channels_last"],
    ("project", "f32"): ["", "channels_last", "gradient", "channels_last,gradient"],
    ("project", "bf16"): ["channels_last", "channels_last,gradient"],
}
PYTORCH_WAYS |= {("back", p): PYTORCH_WAYS["project", p] for p in ("f32", "bf16")}
PYTORCH_WAYS |= {("occlude", p): PYTORCH_WAYS["forward", p] for p in ("f32", "bf16")}


@dataclasses.dataclass(frozen=True)
class Work:
    """What is timed. `model`: an ONNX file in place of a net by name; `cpu`: the instruction set to
    be held to."""
    mode: str = "forward"
    net: str = "zfnet"
    batch: int = 64
    side: int = 224
    cpu: str = ""
    model: str = ""


class Setting:
    """The options, the systems, and the files that are made for all."""

    def __init__(self, options, folder):
        self.options, self.folder = options, pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.here = System(folder)
        self.peers = System(folder, options.peers) if options.peers else self.here
        self.programs = [(self.here, options.zfscope, self.here.name())]
        for where in options.against:
            root, colon, path = where.partition(":")
            if not colon:
                raise Missing(f"--against takes ROOT:PATH, not {where}")
            system = System(folder, root)
            self.programs.append((system, path, system.name() if root else path))

    def make(self, path, *words):
        """A file that the program here makes, unless it is there."""
        if not path.exists():
            subprocess.run([self.options.zfscope, *map(str, words)], check=True,
                           capture_output=True)
        return path

    def model(self, net, suffix):
        """A net, untrained, as a file of that kind."""
        run = self.folder / net
        self.make(run, "train", net, "--data", self.pictures() / "train", "--epochs", "0", "-o",
                  run)
        path = self.folder / f"{net}.{suffix}"
        return self.make(path, "convert", run / "model.safetensors", path)

    def net(self, work, system):
        """What zfscope takes: the net's name, or the path of the ONNX file."""
        return system.made(self.onnx(work)) if work.model else work.net

    def onnx(self, work):
        """The ONNX file of the net, copied to where other systems see it."""
        if not work.model:
            return self.model(work.net, "onnx")
        copy = self.folder / pathlib.Path(work.model).name
        if not os.path.exists(work.model):
            raise Missing(f"{work.model} is not there")
        if not copy.exists():
            shutil.copy(work.model, copy)
        return copy

    def pictures(self):
        path = self.folder / "pictures"
        return self.make(path, "synth", path, "--images", "10")

    def picture(self):
        return next(self.pictures().glob("val/*/*"))


class Zfscope:
    """One process a round, which plans and warms up before its clock starts."""

    def __init__(self, setting, work, precision, program, words=()):
        self.setting, self.work, self.precision, self.words = setting, work, precision, words
        self.system, self.path, self.place = program
        self.name = f"zfscope {precision}, {self.place}"
        self.peak_rss_mib, self.gflop = 0, None

    def common(self):
        cpu = ["--cpu", self.work.cpu] if self.work.cpu else []
        return ["--json", "--precision", self.precision, "--threads",
                self.setting.options.threads, *cpu, *self.words]

    def rate(self, runs):
        if self.work.mode == "occlude":
            made = self.setting.model(self.work.net, "safetensors")
            result = once(self.system, [
                self.path, "occlude", self.system.made(made),
                self.system.made(self.setting.picture()), "--size", 32, "--stride", 8,
                "-o", self.system.made(self.setting.folder / "map"), *self.common()])
            result["images_per_second"] = 1 / result["seconds"]
        else:
            result = once(self.system, [
                self.path, "bench", self.setting.net(self.work, self.system), "--mode",
                self.work.mode, "--batch", self.work.batch, "--runs", runs, "--warm-up", 1,
                *self.common()])
            self.gflop = result["gflops"] / result["images_per_second"]
        self.peak_rss_mib = max(self.peak_rss_mib, result["peak_rss_mib"])
        return result["images_per_second"]

    def close(self):
        pass


class Peer:
    """A process that stays alive: of several commands the one that is quickest in a trial."""

    def __init__(self, kind, precision, system, commands, images, environment):
        self.precision, self.images, self.server, self.peak_rss_mib = precision, images, None, 0
        best, failures = 0, []
        for command in commands:
            try:
                server = Server(system, command, environment)
            except Missing as missing:
                failures.append(str(missing))
                continue
            name = " ".join(filter(None, [kind, server.facts["version"], precision,
                                          *server.facts["how"]]))
            rate = self.trial(server, name) if len(commands) > 1 else 1
            if rate > best:
                best, server, self.server, self.name = rate, self.server, server, name
            if server:
                server.close()
        if not self.server:
            raise Missing(f"{kind} {precision}: {failures[0]}")
        for failure in failures:
            print(failure, file=sys.stderr)

    def trial(self, server, name):
        once_s = server.ask(1)["seconds"][0]
        rate = self.rate_of(server.ask(math.ceil(TRIAL_S / once_s)))
        print(f"  trial of {name}: {rate:.4g}", file=sys.stderr, flush=True)
        return rate

    def rate_of(self, answer):
        return self.images / statistics.median(answer["seconds"])

    def rate(self, runs):
        answer = self.server.ask(runs)
        self.peak_rss_mib = answer["peak_rss_mib"]
        return self.rate_of(answer)

    def close(self):
        self.server.close()


def reference_blas(libraries):
    """The one of these that is the reference BLAS, tens of times too slow for a fair peer, if no
    other is there."""
    if any(word in library for library in libraries for word in OPTIMISED_BLAS):
        return None
    return next((library for library in libraries if "libblas" in library), None)


def batches(work):
    """The words of a batch, and the images of a run."""
    if work.mode == "occlude":
        return ["--mode", work.mode, "--batch", BATCHES_OF_A_MAP], 1
    return ["--mode", work.mode, "--batch", work.batch], work.batch


def pytorch(setting, work, precision):
    words, images = batches(work)
    threads = setting.options.threads
    command = [setting.options.python, setting.peers.script("pytorch_net.py"), "--net", work.net,
               "--precision", precision, "--threads", threads, *words]
    environment = KEEP_MEMORY | {"OMP_NUM_THREADS": str(threads),
                                 "OPENBLAS_NUM_THREADS": str(threads)}
    if work.cpu == "avx2":
        environment |= AVX2_ONLY
    ways = [setting.options.way] if setting.options.way is not None else (
        PYTORCH_WAYS[work.mode, precision])
    peer = Peer("PyTorch", precision, setting.peers,
                [[*command, "--how", way] for way in ways], images, environment)
    slow = reference_blas(peer.server.facts["blas"])
    if slow:
        peer.close()
        raise Missing(f"{peer.name}: no comparison with the reference BLAS ({slow}); "
                      "apt install libopenblas0-pthread")
    return peer


def onnxruntime(setting, work, precision, system, command):
    words, images = batches(work)
    return Peer("ONNX Runtime", precision, system,
                [[*command, system.made(setting.onnx(work)), "--side", work.side, "--threads",
                  setting.options.threads, *words]], images, KEEP_MEMORY)


def onnxruntime_npm(setting, work, precision):
    return onnxruntime(setting, work, precision, setting.here,
                       ["node", setting.here.script("onnxruntime_net.mjs")])


def onnxruntime_python(setting, work, precision):
    return onnxruntime(setting, work, precision, setting.peers,
                       [setting.options.python, setting.peers.script("onnxruntime_net.py")])


def darknet(setting, work, precision):
    return Peer("darknet", precision, setting.here,
                [["python3", setting.here.script("darknet_net.py"), "--mode", work.mode, "--batch",
                  DARKNET_BATCH, "--threads", setting.options.threads]], DARKNET_BATCH, {})


RIVALS = {"pytorch": pytorch, "onnxruntime": onnxruntime_npm,
          "onnxruntime-python": onnxruntime_python, "darknet": darknet}
