public import TorchNN

extension ViTConfiguration {
    /// Checks that a network can be made from this.
    ///
    /// - Throws: `ConfigurationError` that names the number that does not fit.
    public func validate() throws(ConfigurationError) {
        let sizes = [
            ("the image height", imageHeight), ("the image width", imageWidth),
            ("the patch size", patchSize),
            ("the number of channels", inChannels), ("the embedding width", embedDim),
            ("the depth", depth), ("the number of heads", numHeads),
        ]
        // The upper bound keeps products of sizes far from overflow, whatever a file says.
        for (name, value) in sizes where !(1...1_000_000).contains(value) {
            throw .outOfRange(
                name: name,
                value: "\(value)",
                expected: "at least 1 and at most 1000000"
            )
        }
        guard (0...1_000_000).contains(numClasses) else {
            throw .outOfRange(
                name: "the number of classes",
                value: "\(numClasses)",
                expected: "at least 0 and at most 1000000"
            )
        }
        try validateNumbers()
        try validateDivisions()
    }

    private func validateNumbers() throws(ConfigurationError) {
        guard mlpRatio.isFinite, mlpRatio > 0, mlpRatio <= 64, mlpDim > 0 else {
            throw .outOfRange(
                name: "the mlp ratio",
                value: "\(mlpRatio)",
                expected: "above 0 and at most 64"
            )
        }
        guard layerNormEps.isFinite, layerNormEps >= 0 else {
            throw .outOfRange(
                name: "the layer norm's eps",
                value: "\(layerNormEps)",
                expected: "0 or more"
            )
        }
        if let initValues, !initValues.isFinite {
            throw .outOfRange(
                name: "the layer scale's first value",
                value: "\(initValues)",
                expected: "a finite number"
            )
        }
    }

    private func validateDivisions() throws(ConfigurationError) {
        for (name, value) in [("image height", imageHeight), ("image width", imageWidth)]
        where value % patchSize != 0 {
            throw .notDivisible(name: name, value: value, by: patchSize, divisorName: "patch size")
        }
        guard embedDim % numHeads == 0 else {
            throw .notDivisible(
                name: "embedding width",
                value: embedDim,
                by: numHeads,
                divisorName: "number of heads"
            )
        }
    }
}
