import ImagePipeline
import Storage

/// The image processor of a model directory, in the words of Hugging Face's `preprocessor_config.json`.
///
/// The file is read as ``PretrainedImageProcessor`` of the class that transformers' `AutoImageProcessor` would take.
///
/// ## Source
/// transformers 5.23, models/auto/image_processing_auto.py, `AutoImageProcessor.from_pretrained`.
enum HuggingFaceProcessor {
    /// Whether the form has words for what a processor does.
    static func canHold(_ processor: ImageProcessor) -> Bool {
        switch processor.resize {
        case .none, .shortestSide, .exact: true
        case .cover, .contain: false
        }
    }

    static func encode(
        _ processor: ImageProcessor,
        _ architecture: HuggingFaceArchitecture?
    ) -> JSONObject {
        // ViT's class in older versions of transformers does not crop.
        var object =
            if architecture?.isDINOv2 == true {
                PretrainedImageProcessor<Dinov2Family>(processor).canonical
            } else if architecture?.isDINOv3 == true {
                PretrainedImageProcessor<DINOv3ViTFamily>(processor).canonical
            } else if processor.cropHeight == nil {
                PretrainedImageProcessor<ViTFamily>(processor).canonical
            } else {
                PretrainedImageProcessor<DeiTFamily>(processor).canonical
            }
        if processor.resize == .none { object["size"] = nil }
        return object
    }

    /// What the image processor of a model's class does by itself, for networks that no processor of ViT's is for.
    ///
    /// - Parameters:
    ///   - modelType: The `model_type` of a `config.json`.
    ///   - size: The size of the input.
    /// - Returns: The processor; nil for another model.
    /// - Throws: `ImageError` for a size that no image has.
    static func usual(_ modelType: String?, size: ImageSize) throws(ImageError) -> ImageProcessor? {
        let defaults: ProcessorDefaults
        switch modelType {
        case DINOv3ViTFamily.modelType: defaults = DINOv3ViTFamily.processorDefaults
        case CLIPVisionFamily.modelType, CLIPVisionFamily.wholeModelType:
            defaults = CLIPVisionFamily.processorDefaults
        case SiglipVisionFamily.modelType, SiglipVisionFamily.wholeModelType:
            defaults = SiglipVisionFamily.processorDefaults
        default: return nil
        }
        let isCropped = defaults.cropSize != nil
        return try ImageProcessor(
            resize: isCropped
                ? .shortestSide(min(size.height, size.width))
                : .exact(height: size.height, width: size.width),
            interpolation: defaults.resample,
            cropHeight: isCropped ? size.height : nil,
            cropWidth: isCropped ? size.width : nil,
            mean: defaults.mean,
            std: defaults.std
        )
    }

    /// Reads a file.
    ///
    /// - Parameters:
    ///   - fields: The file.
    ///   - channels: The channels of the model's images.
    ///   - modelType: The `model_type` of the `config.json` beside it, which says the class where the file does not.
    /// - Returns: The processor, whose crop lies as torchvision's.
    /// - Throws: ``CheckpointError`` for values that have another type, or do not fit together.
    static func decode(
        _ fields: JSONFields,
        channels: Int,
        modelType: String? = nil
    ) throws(CheckpointError) -> ImageProcessor {
        let oldType = try fields.string("feature_extractor_type")
        let type = try fields.string("image_processor_type") ?? oldType
        func isOf(_ family: any PretrainedFamily.Type, _ prefix: String) -> Bool {
            type?.hasPrefix(prefix) ?? (modelType == family.modelType)
        }
        if isOf(DeiTFamily.self, "DeiT") { return try decode(DeiTFamily.self, fields, channels) }
        // Both families of DINOv2 have one class.
        if isOf(Dinov2Family.self, "Bit") || isOf(Dinov2WithRegistersFamily.self, "Bit") {
            return try decode(Dinov2Family.self, fields, channels)
        }
        if isOf(DINOv3ViTFamily.self, "DINOv3") {
            return try decode(DINOv3ViTFamily.self, fields, channels)
        }
        if isOf(CLIPVisionFamily.self, "CLIP") || modelType == CLIPVisionFamily.wholeModelType {
            return try decode(CLIPVisionFamily.self, fields, channels)
        }
        if isOf(SiglipVisionFamily.self, "Siglip") || modelType == SiglipVisionFamily.wholeModelType
        {
            return try decode(SiglipVisionFamily.self, fields, channels)
        }
        return try decode(ViTFamily.self, fields, channels)
    }

    private static func decode<Family: PretrainedFamily>(
        _ family: Family.Type,
        _ fields: JSONFields,
        _ channels: Int
    ) throws(CheckpointError) -> ImageProcessor {
        var processor = try PretrainedImageProcessor<Family>(
            json: fields.object,
            file: fields.file
        )
        // The class's own values, 0.5, are for any number of channels.
        if fields.value("image_mean") == nil, let mean = processor.imageMean.first,
            processor.imageMean.allSatisfy({ $0 == mean })
        {
            processor.imageMean = [mean]
        }
        if fields.value("image_std") == nil, let std = processor.imageStd.first,
            processor.imageStd.allSatisfy({ $0 == std })
        {
            processor.imageStd = [std]
        }
        return try makeProcessor(file: fields.file) { () throws(ImageError) in
            try processor.imageProcessor(centering: .rounded, channels: channels)
        }
    }
}
