package import ImagePipeline

/// The images of all parts of a report in one row, with the classes of all.
package struct JoinedImages: ImageDataset {
    private let report: DataReport
    private let places: ImagePlaces

    /// Joins the parts of a report.
    package init(_ report: DataReport) {
        self.report = report
        places = ImagePlaces(report.parts.map(\.dataset))
    }

    package var count: Int { report.count }

    package var classNames: [String] { report.classNames }

    /// The image at an index, as findings name it.
    package func item(at index: Int) -> Finding.Item { places.item(index) }

    package func label(at index: Int) -> Int { labels(at: index).first ?? 0 }

    package var isMultiLabel: Bool { report.isMultiLabel }

    package func labels(at index: Int) -> [Int] { report.labels(of: item(at: index)) }

    package func image(at index: Int) throws(ImageError) -> Image {
        let item = item(at: index)
        return try report.parts[item.part].dataset.image(at: item.index)
    }

    package func name(at index: Int) -> String { report.name(of: item(at: index)) }
}
