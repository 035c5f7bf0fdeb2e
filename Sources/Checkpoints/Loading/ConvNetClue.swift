import Foundation
import VisionModels

/// A convolutional preset by the name of a file, of a folder or of the training's arguments.
struct ConvNetClue {
    let preset: ModelRegistry.Preset

    /// Which training the weights come from, such as `tv_in1k`; nil where the name does not say.
    let tag: String?

    /// Finds a preset in names such as `tf_efficientnet_lite0-0aa007d2` or `resnet50.tv_in1k`; nil where none is one's.
    ///
    /// - Parameter names: The names, the most trusted first.
    /// - Returns: The preset of the first name that is one's.
    static func find(in names: [String]) -> ConvNetClue? {
        for name in names {
            let parts = name.split(separator: ".", maxSplits: 1).map(String.init)
            let words = (parts.first ?? "").replacing("-", with: "_") + "_"
            let fitting = ModelRegistry.presets.filter {
                $0.configuration.convNet != nil && words.hasPrefix($0.name + "_")
            }
            if let preset = fitting.max(by: { $0.name.count < $1.name.count }) {
                return ConvNetClue(preset: preset, tag: parts.count > 1 ? parts[1] : nil)
            }
        }
        return nil
    }

    /// Whether a network is the one of the clue but for classes, channels and the size of images.
    func fits(_ configuration: ModelConfiguration) -> Bool {
        configuration.isSameNetwork(as: preset.configuration)
    }
}
