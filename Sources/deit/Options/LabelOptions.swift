import ArgumentParser
import Datasets

/// How the labels of images are written, for commands that open labelled data.
struct LabelOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Images may have several labels, where the data itself does not say so.",
            valueName: "on|off"
        )
    )
    var multiLabel = Switch.off

    @Option(help: "Text between the labels of an image in a cell of a list.")
    var labelSeparator = LabelFormat.usualSeparator

    /// The format, for data that is looked at with a model or alone.
    ///
    /// - Parameter isMultiLabel: Whether the model predicts several labels an image.
    /// - Returns: The format.
    func format(isMultiLabel: Bool = false) -> LabelFormat {
        LabelFormat(isMultiLabel: multiLabel.isOn || isMultiLabel, separator: labelSeparator)
    }
}
