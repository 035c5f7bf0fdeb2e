import Checkpoints
import ImagePipeline
import Torch
import VisionModels

/// Turns the student's pixels into a teacher's: its normalisation, its size.
///
/// The teacher sees the student's augmented and mixed image, resized as a whole where the sizes differ: bicubic where
/// the teacher's own processor is, else bilinear, with antialiasing.
struct TeacherInput {
    private let change: Renormalization?
    private let size: (height: Int, width: Int)?
    private let resampling: Functional.Resampling

    /// Creates the way, or nil where both read the same.
    ///
    /// - Parameters:
    ///   - student: What the pixels are made for.
    ///   - teacher: What they should be made for; the same number of channels.
    /// - Throws: `TorchError` for a lack of memory.
    init?(from student: ModelDescription, to teacher: ModelDescription) throws(TorchError) {
        change = try Renormalization(from: student.processor, to: teacher.processor)
        let wanted = teacher.configuration.imageSize
        size = wanted == student.configuration.imageSize ? nil : wanted
        resampling = teacher.processor.interpolation == .bicubic ? .bicubic : .bilinear
        if change == nil, size == nil { return nil }
    }

    /// Changes pixels `[batch, channels, height, width]`.
    func callAsFunction(_ pixels: Tensor) throws(TorchError) -> Tensor {
        let pixels = try change?(pixels) ?? pixels
        guard let size else { return pixels }
        return try Functional.resize2d(
            pixels,
            height: size.height,
            width: size.width,
            resampling: resampling,
            antialias: true
        )
    }

    /// How images are resized, for people and for fingerprints; nil where they are not.
    var resizing: String? {
        size.map { "\($0.height)×\($0.width), \(resampling == .bicubic ? "bicubic" : "bilinear")" }
    }

    /// What a person should know of it; nil where only the normalisation differs.
    func note(of teacher: String) -> String? {
        resizing.map {
            "the teacher \(teacher) gets the student's images resized to its input size, \($0)"
        }
    }
}
