/// A kind of problem in images or labels.
public enum FindingKind: String, Sendable, CaseIterable, Codable {
    /// The file cannot be read, is empty or is not an image of a kind that is known.
    case unreadable
    /// The file ends before the image does.
    case truncated
    /// The file breaks the rules of its format.
    case damaged
    /// The file claims more pixels or bytes than any image should have; it was not decoded.
    case oversized
    /// A folder, list or archive that is wrong as a whole, in part or in its names.
    case layout
    /// A class without images.
    case emptyClass = "empty-class"
    /// The same image in training and in validation.
    case leak
    /// The same image in two classes.
    case conflict
    /// The same image more than once in a class.
    case duplicate
    /// Almost the same image in training and in validation.
    case nearLeak = "near-leak"
    /// Almost the same image in two classes.
    case nearConflict = "near-conflict"
    /// Almost the same image more than once in a class.
    case nearDuplicate = "near-duplicate"
    /// An image whose neighbours, as a model sees them, agree on another class.
    case labelSuspect = "label-suspect"
    /// A class with far fewer or far more images than the others.
    case lopsidedClass = "lopsided-class"
    /// A file whose name ends like another format's.
    case misnamed
    /// An image in the four inks of print.
    case cmyk
    /// An image that is stored turned and says so in its EXIF data.
    case rotated
    /// An image that is very large, very small or very narrow.
    case oddSize = "odd-size"
    /// An image of a single colour.
    case blank

    /// How bad something is.
    public enum Severity: String, Sendable, Codable {
        /// It cannot be used, or makes measurements wrong.
        case error
        /// It can be used, and may not be what is wanted.
        case warning
    }

    /// How bad it is.
    public var severity: Severity {
        switch self {
        case .unreadable, .truncated, .damaged, .oversized, .layout, .emptyClass, .leak, .conflict:
            .error
        default: .warning
        }
    }

    /// A heading.
    public var title: String {
        switch self {
        case .unreadable: "unreadable"
        case .truncated: "cut short"
        case .damaged: "damaged"
        case .oversized: "too large"
        case .layout: "layout"
        case .emptyClass: "empty classes"
        case .leak: "in train and val"
        case .conflict: "in two classes"
        case .duplicate: "duplicates"
        case .nearLeak: "nearly the same in train and val"
        case .nearConflict: "nearly the same in two classes"
        case .nearDuplicate: "near duplicates"
        case .labelSuspect: "label suspects"
        case .lopsidedClass: "class imbalance"
        case .misnamed: "misnamed"
        case .cmyk: "CMYK"
        case .rotated: "rotated by EXIF"
        case .oddSize: "odd sizes"
        case .blank: "blank"
        }
    }

    /// What it means for training, and what to do.
    public var advice: String {
        switch self {
        case .unreadable, .truncated, .damaged:
            "They are skipped in training and evaluation. Download them again or remove them."
        case .oversized:
            "They are not decoded, to limit memory use. Remove them."
        case .layout: "Training rejects this. Correct it first."
        case .emptyClass: "Add images, or remove the class."
        case .leak:
            "The model would be evaluated on training images. Keep one copy; the cleaned list keeps the one in val."
        case .conflict:
            "One of the labels is wrong. Correct it; the cleaned list removes all of them."
        case .duplicate: "They count more than other images. The cleaned list keeps the first."
        case .nearLeak:
            "The measured accuracy will be too high. The cleaned list removes the one in train."
        case .nearConflict: "One of the labels may be wrong. Inspect them."
        case .nearDuplicate: "They count more than other images. Inspect them."
        case .labelSuspect: "Their nearest neighbours agree on another class. Inspect them."
        case .lopsidedClass:
            "The model will favour large classes. Add images, or evaluate per class."
        case .misnamed:
            "They are read, because the format is detected from the content. Other programs may fail."
        case .cmyk: "They become RGB without a colour profile. Colours may be inaccurate."
        case .rotated:
            "They are rotated in training and evaluation, unless --exif-orientation off is given."
        case .oddSize: "Crops of them show a small part, or are strongly interpolated."
        case .blank: "They contain no information."
        }
    }

    /// Whether the cleaned list leaves such images out, all of them or all but one.
    var isDropped: Bool {
        switch self {
        case .unreadable, .truncated, .damaged, .oversized, .leak, .conflict, .duplicate, .nearLeak:
            true
        default: false
        }
    }
}
