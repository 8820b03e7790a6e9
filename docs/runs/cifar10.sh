#!/bin/sh
# ResNet-20 on CIFAR-10: cifar10.sh DATA OUT, from the root of the project.
# DATA holds cifar-10-batches-bin. OUT receives the float network, and a log and a report for each row. Float training
# that was interrupted goes on where it was: run it again. Hours on two cores.
set -eu
data=$1
out=$2

run() {
    name=$1
    shift
    mkdir -p "$out/$name"
    mvn -ntp -q compile exec:java -Dexec.mainClass=org.nni4j.examples.Cifar10Example \
        -Dexec.args="--data $data --json --seed 42 --output $out/$name $*" 2>>"$out/$name/run.log"
}

# How many threads the engine has decides the order of sums, and so the last bits: these are those of docs/results.md.
run cifar10-resnet20-naive --threads 2 -a naive --float-epochs 30 --resume
from="--threads 1 --checkpoint $out/cifar10-resnet20-naive/float"
run cifar10-resnet20-observer-int8 $from -a observer --fold
run cifar10-resnet20-qat-int8 $from -a qat --fold --epochs 1 --rate 0.01 --onnx "$out/resnet20-int8.onnx"
run cifar10-resnet20-lsq-w4a4 $from -a lsq --config configs/cifar10-lsq-w4a4.json --epochs 8 --rate 0.02
run cifar10-resnet20-lsq-w3a3 $from -a lsq --config configs/cifar10-lsq-w3a3.json --epochs 16 --rate 0.03 \
    --weight-decay 1e-4
run cifar10-resnet20-lsq-w2a2 $from -a lsq --config configs/cifar10-lsq-w2a2.json --epochs 20 --rate 0.03 \
    --weight-decay 1e-4
run cifar10-resnet20-dorefa-w4a4 $from -a dorefa --config configs/cifar10-dorefa-w4a4.json --epochs 7 --rate 0.05
run cifar10-resnet20-pact-w4a4 $from -a pact --config configs/cifar10-pact-w4a4.json --epochs 4 --rate 0.02
