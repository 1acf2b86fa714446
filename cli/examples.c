/* SPDX-License-Identifier: MIT */
#include "examples.h"

#include <string.h>

#include "zf/base.h"

/* The plainest first. */
static const struct {
    const char *command;
    const char *lines[EXAMPLES];
} examples[] = {
    {"train",
     {"zfscope train zfnet64 --data photos/train --val photos/val --epochs 20 -o run",
      "zfscope train zfnet64 --data pictures --val-split 0.2 -o run # one folder, a fifth to "
      "validate",
      "zfscope train -o run --resume                                # goes on where it stopped"}},
    {"eval",
     {"zfscope eval run/model.safetensors --data photos/val",
      "zfscope eval run/model.safetensors --data photos/val -o run/eval   # which go wrong, as a "
      "page",
      "zfscope eval a.onnx b.onnx --data photos/val --views 10            # each, and both "
      "together"}},
    {"classify",
     {"zfscope classify run/model.safetensors holiday.jpg",
      "zfscope classify model.onnx photos/val --prepare torchvision --labels names.txt",
      "zfscope classify run/model.safetensors *.jpg --json | jq '.images[].predictions[0].label'"}},
    {"activations",
     {"zfscope activations run/model.safetensors holiday.jpg --layer relu3 -o relu3.npy",
      "zfscope activations model.onnx inputs.npy --layer features.8 -o a.npy",
      "zfscope activations run/model.safetensors holiday.jpg --layer fc7 -o vector.npy"}},
    {"project",
     {"zfscope project run/model.safetensors holiday.jpg --layer conv5 -o why.png",
      "zfscope project run/model.safetensors holiday.jpg --layer conv5 --map 12 -o map12.png",
      "zfscope project model.onnx holiday.jpg --layer conv5 --rule guided --raw why.npy -o "
      "why.png"}},
    {"top",
     {"zfscope top run/model.safetensors --data photos/val -o run/top",
      "zfscope top run/model.safetensors --data photos/val --layer relu5 --maps 40 -o run/top5",
      "zfscope top model.onnx --data photos/val --layer fc8 -o top  # what each class looks for"}},
    {"unit",
     {"zfscope unit run/model.safetensors --data photos/val --layer conv5 --map 12 -o run/unit",
      "zfscope unit model.onnx --data photos/val --layer fc8 --map axolotl -o axolotl",
      "zfscope unit run/model.safetensors --data photos/val --layer conv3 --map 4 -o u --json"}},
    {"evolve",
     {"zfscope evolve run --data photos/train -o run/evolve",
      "zfscope evolve run --data photos/train --layer conv1 --layer conv5 -o run/evolve",
      "zfscope evolve run --data photos/train --maps 4 -o run/evolve"}},
    {"invariance",
     {"zfscope invariance run/model.safetensors holiday.jpg -o run/invariance",
      "zfscope invariance run/model.safetensors cat.jpg dog.jpg -o run/invariance",
      "zfscope invariance model.onnx holiday.jpg --class beach -o out"}},
    {"diagnose",
     {"zfscope diagnose run/model.safetensors -o run/diagnose      # of the filters alone",
      "zfscope diagnose run/model.safetensors --data photos/val -o run/diagnose",
      "zfscope diagnose model.onnx --data photos/val -o diagnose --json"}},
    {"occlude",
     {"zfscope occlude run/model.safetensors holiday.jpg -o run/occlude",
      "zfscope occlude model.onnx newt.jpg --class axolotl -o why   # what speaks for another "
      "class",
      "zfscope occlude model.onnx holiday.jpg --size 48 --stride 4 -o fine"}},
    {"correspond",
     {"zfscope correspond run/model.safetensors parts.tsv --layer relu5 -o run/correspond",
      "zfscope correspond model.onnx parts.tsv --layer relu5 --layer relu7 -o correspond",
      "zfscope correspond run/model.safetensors parts.tsv --json -o run/correspond"}},
    {"compare",
     {"zfscope compare run/model.safetensors other.onnx --data photos/val -o compare",
      "zfscope compare run/epochs/0005.safetensors run/model.safetensors --data photos/val -o "
      "learnt",
      "zfscope compare a.onnx b.onnx --data photos/val --explain 5 -o compare"}},
    {"ablate",
     {"zfscope ablate --nets zfnet64 mine.ini --data photos/train --val photos/val -o ablate",
      "zfscope ablate --nets alexnet64 zfnet64 --data synth: --val synth:val --epochs 5 -o ablate",
      "zfscope ablate --nets zfnet64 mine.ini --data photos/train --val photos/val -o ablate "
      "--resume"}},
    {"transfer",
     {"zfscope transfer run/model.safetensors --data others --per-class 15,30 -o run/transfer",
      "zfscope transfer model.onnx --data others --layer relu7 --classifier svm -o transfer",
      "zfscope transfer run/model.safetensors --data others --scratch zfnet64 -o run/transfer"}},
    {"report",
     {"zfscope report run -o run/report.html                        # all results below run/",
      "zfscope report . -o all.html", "zfscope report run/top -o top.html"}},
    {"serve",
     {"zfscope serve run/model.safetensors --data photos/val --open",
      "zfscope serve model.onnx --prepare torchvision --labels names.txt",
      "zfscope serve run/model.safetensors --port 0 --json   # a free port; the link as JSON"}},
    {"info",
     {"zfscope info model.onnx",
      "zfscope info zfnet64 --spec > mine.ini                       # a net to change",
      "zfscope info model.onnx --dot | dot -Tsvg > model.svg"}},
    {"convert",
     {"zfscope convert run/model.safetensors model.onnx",
      "zfscope convert model.onnx model.safetensors --prepare torchvision --labels names.txt",
      "zfscope convert mine.ini model.safetensors --weights state_dict.safetensors"}},
    {"check",
     {"zfscope check photos/train", "zfscope check list.tsv",
      "zfscope check 'shards/{000000..001281}.tar' --json"}},
    {"pack",
     {"zfscope pack photos/train train.pack", "zfscope pack photos/train train.pack --size 64",
      "zfscope pack list.tsv list.pack"}},
    {"synth",
     {"zfscope synth drawings", "zfscope synth drawings --images 1000",
      "zfscope synth drawings --images 10000 --seed 7"}},
    {"bench",
     {"zfscope bench zfnet", "zfscope bench zfnet --mode train --batch 128",
      "zfscope bench model.onnx --mode project --batch 1 --json"}},
    {"completion",
     {"source <(zfscope completion bash)", "zfscope completion zsh > ~/.zfunc/_zfscope",
      "zfscope completion fish > ~/.config/fish/completions/zfscope.fish"}},
};

const char *example_of(const char *command, size_t i)
{
    for (size_t k = 0; i < EXAMPLES && k < ZF_COUNT(examples); k++) {
        if (strcmp(examples[k].command, command) == 0)
            return examples[k].lines[i];
    }
    return NULL;
}
