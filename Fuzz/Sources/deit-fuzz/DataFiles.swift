@testable import Datasets
@testable import ImagePipeline
@testable import Storage

/// Calls a parser of data files and forgets its error, whose sentence must exist.
private func attempt(_ body: () throws(DatasetError) -> Void) {
    do { try body() } catch { precondition(!error.description.isEmpty) }
}

extension MemorySource {
    /// A pickle of CIFAR's: a batch of either set, and an index of class names.
    func readCIFAR() {
        for key in ["labels", "fine_labels"] {
            attempt { () throws(DatasetError) in
                let batch = try CIFARBatch(pickle: bytes, key: key, path: path)
                let size = batch.labels.count * CIFARDataset.image
                precondition(batch.pixels.count == size, "pixels that do not fit the labels")
            }
        }
        attempt { () throws(StorageError) in
            let contents = try PickleContents(self, for: .dataSet)
            for key in ["label_names", "fine_label_names", "coarse_label_names"] {
                for value in contents.list(contents[key]) ?? [] { _ = value.text }
            }
        }
    }

    /// A tar archive's table of contents.
    func readTar() {
        var reader = TarReader(self)
        attempt { () throws(StorageError) in
            var end = 0
            while let member = try reader.next() {
                precondition(member.start >= end && member.offset > member.start)
                precondition(member.size >= 0 && member.size <= count - member.offset)
                end = member.offset + member.size
            }
        }
        _ = TarLinks(self).count
    }

    /// A list of images as commas, semicolons or tabs separate it.
    func readList() {
        attempt { () throws(StorageError) in
            var text = DelimitedText(bytes, path: path)
            while let row = try text.next() { precondition(!row.isEmpty) }
        }
    }

    /// EXIF's orientation in each of the formats.
    func readOrientation() {
        bytes.withUnsafeBytes { bytes in
            for format in ImageFormat.allCases {
                precondition((1...8).contains(exifOrientation(of: format, bytes)))
            }
        }
    }
}
