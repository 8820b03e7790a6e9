#!/bin/sh
# Every MNIST row of docs/results.md: mnist.sh DATA OUT, from the root of the project.
# DATA holds the four IDX files. OUT receives the float network, and a log and a report for each row.
set -eu
data=$1
out=$2

run() {
    name=$1
    shift
    mkdir -p "$out/$name"
    mvn -ntp -q compile exec:java \
        -Dexec.args="--data $data --json --seed 42 --output $out/$name $*" 2>"$out/$name/run.log"
}

run mnist-lenet-qat-int8
from="--checkpoint $out/mnist-lenet-qat-int8/float"
run mnist-lenet-qat-w4a8 $from -a qat --config configs/mnist-qat-w4a8.json
run mnist-lenet-naive $from -a naive
run mnist-lenet-observer-int8 $from -a observer
run mnist-lenet-dorefa-w1a2 $from -a dorefa --config configs/mnist-dorefa-w1a2.json --rate 0.1
run mnist-lenet-dorefa-w4a4 $from -a dorefa --config configs/mnist-dorefa-w4a4.json --rate 0.03
run mnist-lenet-pact-w4a4 $from -a pact
run mnist-lenet-lsq-w4a4 $from -a lsq --config configs/mnist-lsq-w4a4.json --rate 0.01
run mnist-lenet-lsq-w3a3 $from -a lsq --config configs/mnist-lsq-w3a3.json --rate 0.01
run mnist-lenet-lsq-w2a2 $from -a lsq --config configs/mnist-lsq-w2a2.json --epochs 3 --rate 0.05
run mnist-lenet-tanh-bnn -a bnn --network lenet-tanh --float-epochs 0 --epochs 8 --rate 1
