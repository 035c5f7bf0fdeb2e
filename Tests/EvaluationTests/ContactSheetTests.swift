import Datasets
import Foundation
import ImagePipeline
import Testing

@testable import Evaluation

/// Images of one grey each: 40 times their index.
private struct GreyImages: ImageDataset {
    let count = 6
    let classNames = [
        "cat", "a dog whose name is far too long for the room below an image", "Bär",
    ]
    func label(at index: Int) -> Int { index % 3 }
    func name(at index: Int) -> String { "image \(index)" }
    func image(at index: Int) throws(ImageError) -> Image {
        try Image(
            height: 16,
            width: 16,
            channels: 3,
            pixels: [UInt8](repeating: UInt8(index * 40), count: 16 * 16 * 3)
        )
    }
}

struct ContactSheetTests {
    private func batches(mixing: Mixing?, size: Int) async throws -> [ImageBatch] {
        let loader = try DataLoader(
            dataset: GreyImages(),
            transform: try TrainingTransform(
                operations: [.resize(.exact(height: 16, width: 16), interpolation: .bicubic)],
                mean: Normalization.imageNet.mean,
                std: Normalization.imageNet.std
            ),
            plan: EpochPlan(count: 6, batchSize: size, shuffles: false),
            mixing: mixing,
            smoothing: 0.1
        )
        var batches: [ImageBatch] = []
        for try await batch in loader.batches() { batches.append(batch) }
        return batches
    }

    private func sheet(_ batches: [ImageBatch]) throws -> ContactSheet {
        var sheet = ContactSheet(
            normalization: .imageNet,
            classNames: GreyImages().classNames
        )
        for batch in batches { try sheet.add(batch) }
        return sheet
    }

    @Test func imagesStandInRowsWithTheirOwnValues() async throws {
        let image = try sheet(try await batches(mixing: nil, size: 4)).drawn()
        // Tiles of 6 × 16 pixels, 2 lines of 10, and 6 around them.
        #expect(image.channels == 3)
        #expect(image.height == 2 * (96 + 20 + 6) && image.width == 4 * (96 + 6))
        for index in 0..<6 {
            let (top, left) = (index / 4 * 122 + 3, index % 4 * 102 + 3)
            for (y, x) in [(0, 0), (95, 95), (40, 50)] {
                let at = ((top + y) * image.width + left + x) * 3
                #expect(image.pixels[at..<(at + 3)].allSatisfy { $0 == UInt8(index * 40) })
            }
            let below = ((top + 96) * image.width + left) * 3
            #expect(image.pixels[below] == 255)
            // Something is written below every image, and stays within its width.
            var text: [Int] = []
            for line in 0..<20 {
                for column in 0..<102 {
                    let at = ((top + 96 + line) * image.width + left + column) * 3
                    if at < image.pixels.count, image.pixels[at] == 0 { text.append(column) }
                }
            }
            #expect(text.count > 20 && text.allSatisfy { $0 < 96 })
        }
        // The file is read back as it was.
        #expect(try Image(decoding: image.encodedPNG()) == image)
    }

    @Test func captionsNameWhatIsMixed() async throws {
        let plain = try await batches(mixing: nil, size: 6)
        let sheet = try sheet(plain)
        #expect(sheet.caption(plain[0], at: 0) == ["cat"])
        #expect(sheet.caption(plain[0], at: 5) == ["Bär"])
        let mixed = try await batches(mixing: Mixing(cutmixAlpha: 0), size: 6)
        let targets = try #require(mixed.first?.targets)
        try #require(targets.count == 18)
        // Image 0 is a cat and its partner, image 5, a bear.
        let share = (targets[0] - targets[1]) / (targets[0] + targets[2] - 2 * targets[1])
        let percent = Int((share * 100).rounded())
        let caption = sheet.caption(mixed[0], at: 0)
        #expect(Set(caption) == ["\(percent)% cat", "\(100 - percent)% Bär"])
    }

    @Test func lettersHaveDots() {
        var count: [Character: Int] = [:]
        for letter in (33..<127).map({ Character(UnicodeScalar($0)) }) {
            DotFont.draw(String(letter)) { row, column in
                #expect((0..<7).contains(row) && (0..<5).contains(column))
                count[letter, default: 0] += 1
            }
        }
        #expect(count.count == 94)
        #expect(count["."] == 4 && count["-"] == 5 && count["I"] == 11)
        #expect(DotFont.plain("Bär→") == Array("Bar?".utf8))
    }

    @Test func nothingToDraw() throws {
        let error = #expect(throws: ImageError.self) { try self.sheet([]).drawn() }
        #expect("\(error as Any)".contains("without images"))
    }
}
