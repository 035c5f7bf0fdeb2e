import Foundation
import Torch
import Training

/// Prints which weights a run trains and which of them decay.
enum GroupPrinter {
    @ModelActor
    static func print(_ options: TrainingOptions) throws {
        for group in try GroupListing(options).groups {
            var decay = group.weightDecay.map { ", weight decay \($0)" } ?? ""
            if options.layerDecay != nil, group.weightDecay != nil {
                decay += ", rate × \(ProgressPrinter.fixed(group.lrScale, 6))"
            }
            Console.line(
                "\(group.name): \(group.weights.count) tensors, \(group.count) numbers\(decay)"
            )
            for weight in group.weights {
                let shape = weight.shape.map { String($0) }.joined(separator: " × ")
                Console.line("  \(weight.name)  \(shape)")
            }
        }
    }
}
