public import Torch
public import TorchNN

/// A network that gives a score to every class of an image.
public protocol ImageClassifier: Module {
    /// How many classes it tells apart; 0 for a transformer without a classifier, which returns features.
    var numClasses: Int { get }

    /// The images that it takes, `[channels, height, width]`; convolutional networks take other sizes as well.
    var inputShape: [Int] { get }

    /// Returns the scores of the classes, before any softmax: the model's prediction.
    ///
    /// - Parameter images: `[batch, channels, height, width]`, normalised.
    /// - Returns: `[batch, numClasses]`.
    /// - Throws: `TorchError` when the images' shape does not fit.
    func callAsFunction(_ images: Tensor) throws(TorchError) -> Tensor

    /// Returns the scores of each head; ``ClassifierLogits/averaged()`` is the prediction.
    ///
    /// - Parameter images: `[batch, channels, height, width]`, normalised.
    /// - Returns: The scores; of a network with one head its prediction.
    /// - Throws: `TorchError` when the images' shape does not fit.
    func logits(_ images: Tensor) throws(TorchError) -> ClassifierLogits
}

extension ImageClassifier {
    /// Returns the prediction as the scores of the only head.
    public func logits(_ images: Tensor) throws(TorchError) -> ClassifierLogits {
        ClassifierLogits(cls: try self(images))
    }
}
