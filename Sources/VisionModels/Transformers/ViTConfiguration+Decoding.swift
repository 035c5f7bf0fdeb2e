extension ViTConfiguration {
    /// Reads a configuration.
    ///
    /// What the first version did not have (`attnDropRate`, `initValues`, `noEmbedClass`, `singleHead`) may be absent, so that the
    /// runs that it left behind can still be read.
    ///
    /// - Parameter decoder: Where to read from.
    /// - Throws: `DecodingError` when another key is absent or a value has the wrong type.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            imageHeight: try values.decode(Int.self, forKey: .imageHeight),
            imageWidth: try values.decode(Int.self, forKey: .imageWidth),
            patchSize: try values.decode(Int.self, forKey: .patchSize),
            inChannels: try values.decode(Int.self, forKey: .inChannels),
            numClasses: try values.decode(Int.self, forKey: .numClasses),
            embedDim: try values.decode(Int.self, forKey: .embedDim),
            depth: try values.decode(Int.self, forKey: .depth),
            numHeads: try values.decode(Int.self, forKey: .numHeads),
            mlpRatio: try values.decode(Double.self, forKey: .mlpRatio),
            qkvBias: try values.decode(Bool.self, forKey: .qkvBias),
            isDistilled: try values.decode(Bool.self, forKey: .isDistilled),
            layerNormEps: try values.decode(Double.self, forKey: .layerNormEps),
            dropRate: try values.decode(Double.self, forKey: .dropRate),
            dropPathRate: try values.decode(Double.self, forKey: .dropPathRate),
            attnDropRate: try values.decodeIfPresent(Double.self, forKey: .attnDropRate) ?? 0,
            initValues: try values.decodeIfPresent(Double.self, forKey: .initValues),
            noEmbedClass: try values.decodeIfPresent(Bool.self, forKey: .noEmbedClass) ?? false,
            singleHead: try values.decodeIfPresent(Bool.self, forKey: .singleHead) ?? false
        )
    }
}
