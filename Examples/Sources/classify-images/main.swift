// classify-images MODEL IMAGE...: prints the three most likely classes of each image.
//
// MODEL is a run of `deit train`, a model directory, or a file of weights.

import Foundation
import Inference

guard CommandLine.arguments.count > 2 else {
    print("usage: classify-images MODEL IMAGE...")
    exit(64)
}
let predictor = try await Predictor(contentsOf: CommandLine.arguments[1])
for image in CommandLine.arguments.dropFirst(2) {
    for prediction in try await predictor.classify(image, top: 3) {
        print(image, String(format: "%.4f", prediction.score), prediction.label, separator: "\t")
    }
}
