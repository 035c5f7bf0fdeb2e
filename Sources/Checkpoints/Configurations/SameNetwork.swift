import VisionModels

extension ModelConfiguration {
    /// Whether two convolutional networks differ in nothing but classes, channels and the size of images.
    func isSameNetwork(as other: ModelConfiguration) -> Bool {
        guard convNet != nil else { return false }
        var other = other
        other.numClasses = numClasses
        other.inChannels = inChannels
        other.imageSize = imageSize
        return other == self
    }
}
