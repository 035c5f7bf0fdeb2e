public import ImagePipeline

/// Labelled pictures that can be read in any order and from any thread.
public protocol ImageDataset: Sendable {
    /// The number of pictures.
    var count: Int { get }

    /// The classes' names; a label is an index into them.
    var classNames: [String] { get }

    /// The label of a picture.
    ///
    /// - Parameter index: The picture, from 0 up to, but not including, ``count``.
    /// - Returns: An index into the classes' names.
    func label(at index: Int) -> Int

    /// Reads a picture.
    ///
    /// - Parameter index: The picture, from 0 up to, but not including, ``count``.
    /// - Returns: The picture.
    /// - Throws: ``ImageError`` when the picture cannot be read or decoded.
    func image(at index: Int) throws(ImageError) -> Image

    /// What to call a picture in a message: its file, or its place within one.
    ///
    /// - Parameter index: The picture, from 0 up to, but not including, ``count``.
    /// - Returns: The name.
    func name(at index: Int) -> String
}
