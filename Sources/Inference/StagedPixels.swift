package import Datasets
package import Torch

/// The images of a batch on their way to a device, copied there beside its other work.
///
/// A worker of the loader starts the copy as soon as the batch is whole, some batches ahead of need; the step that uses
/// them only makes the device wait for what is not there yet.
private final class StagedPixels: @unchecked Sendable {
    // Made by a worker, used once by the thread that computes.
    let upload: Upload
    let device: Device

    init(_ upload: Upload, on device: Device) {
        (self.upload, self.device) = (upload, device)
    }
}

extension DataLoader {
    /// The same loader, whose workers copy finished batches to a device; on the CPU and on MPS nothing changes.
    ///
    /// - Parameter device: The device.
    /// - Returns: The loader.
    package func staged(on device: Device) -> DataLoader {
        switch device {
        case .cpu, .mps: return self
        case .cuda, .privateUse: break
        }
        var loader = self
        loader.stage = { batch in
            // Without memory for it the step copies the images itself, and tells if it has none either.
            let upload = try? batch.withUnsafeBytes { bytes throws(TorchError) in
                try Upload(bytes, dtype: .float32, shape: batch.shape, to: device)
            }
            return upload.map { StagedPixels($0, on: device) }
        }
        return loader
    }
}

extension ImageBatch {
    /// The images that a worker has sent to a device; nil where there are none.
    func stagedTensor(on device: Device) throws(TorchError) -> Tensor? {
        guard let staged = staged as? StagedPixels, staged.device == device else { return nil }
        return try staged.upload.tensor()
    }
}
