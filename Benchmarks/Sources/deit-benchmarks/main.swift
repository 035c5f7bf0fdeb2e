// What the Swift wrapper costs, and how fast the layers are by each kernel. `make bench` runs it.
//
// Medians of several runs; machines differ and are shared, so compare only what ran in one sitting.
import CBaseline
import Foundation
import Torch
import TorchNN
import VisionModels

try Libtorch.checkVersion()
print(
    "libtorch \(Libtorch.versionOfHeaders), \(Libtorch.threadCount) threads, oneDNN \(Libtorch.hasOneDNN ? "yes" : "no")\n"
)
try await ModelActor.run {
    try measureWrapper()
    try measureLayers()
    try measureStep()
    try measureReading()
}
