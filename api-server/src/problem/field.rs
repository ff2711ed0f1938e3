//! What can be wrong with a single field.

use cloudmeet_core::password::PasswordError;
use cloudmeet_core::room::SettingsError;
use cloudmeet_core::text::TextError;

use super::Language;

/// Says what is wrong with one field of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The field's name, dotted when it lies deeper.
    pub field: String,
    /// The rule that it breaks.
    pub rule: Rule,
}

impl FieldError {
    /// Puts a field and the rule it breaks together.
    pub fn new(field: &str, rule: impl Into<Rule>) -> Self {
        Self { field: field.to_owned(), rule: rule.into() }
    }
}

/// Is a rule that a field may break.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// It must be there.
    Required,
    /// A rule about texts.
    Text(TextError),
    /// A rule about new passwords.
    Password(PasswordError),
    /// It must be a number in a range, both ends included.
    OutOfRange {
        /// The least value.
        min: i64,
        /// The greatest value; `None` without a bound.
        max: Option<i64>,
    },
    /// It has another type or shape, in the words of the parser.
    WrongType(String),
    /// It names something that does not exist.
    UnknownReference,
    /// It is a time that is over.
    Past,
    /// It does not go together with other settings of the room.
    Settings(SettingsError),
}

impl From<TextError> for Rule {
    fn from(error: TextError) -> Self {
        Self::Text(error)
    }
}

impl From<SettingsError> for Rule {
    fn from(error: SettingsError) -> Self {
        Self::Settings(error)
    }
}

impl From<PasswordError> for Rule {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Length(text) => Self::Text(text),
            other => Self::Password(other),
        }
    }
}

impl Rule {
    /// Takes a number that is in a range, both ends included; `None` is no bound.
    ///
    /// # Errors
    /// [`Rule::OutOfRange`].
    pub fn in_range(value: i64, min: i64, max: Option<i64>) -> Result<i64, Self> {
        if value >= min && max.is_none_or(|max| value <= max) { Ok(value) } else { Err(Self::OutOfRange { min, max }) }
    }

    /// Says for a person what the field must be.
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        match language {
            Language::English => self.english(),
            Language::Russian => self.russian(),
        }
    }

    fn english(&self) -> String {
        match self {
            Self::Required => "must be given".to_owned(),
            Self::Text(error) => error.to_string(),
            Self::Password(error) => error.to_string(),
            Self::OutOfRange { min, max: Some(max) } => format!("must be from {min} to {max}"),
            Self::OutOfRange { min, max: None } => format!("must be at least {min}"),
            Self::WrongType(parser) => format!("has the wrong type ({parser})"),
            Self::UnknownReference => "names something that does not exist".to_owned(),
            Self::Past => "must lie in the future".to_owned(),
            Self::Settings(error) => error.to_string(),
        }
    }

    fn russian(&self) -> String {
        match self {
            Self::Required => "нужно указать".to_owned(),
            Self::Text(TextError::Blank) => "не может быть пустым".to_owned(),
            Self::Text(TextError::TooShort { min }) => format!("минимальная длина в символах: {min}"),
            Self::Text(TextError::TooLong { max }) => format!("максимальная длина в символах: {max}"),
            Self::Text(TextError::ControlCharacters) => "не может содержать управляющие символы".to_owned(),
            Self::Text(TextError::Malformed) => "имеет неверный вид".to_owned(),
            Self::Text(TextError::Reserved) => "это имя занято системой".to_owned(),
            Self::Password(PasswordError::Length(text)) => Self::Text(*text).russian(),
            Self::Password(PasswordError::Common) => "входит в число самых распространённых паролей".to_owned(),
            Self::Password(PasswordError::SameAsEmail) => "не может совпадать с адресом почты".to_owned(),
            Self::OutOfRange { min, max: Some(max) } => format!("должно быть от {min} до {max}"),
            Self::OutOfRange { min, max: None } => format!("должно быть не меньше {min}"),
            Self::WrongType(parser) => format!("неверный тип ({parser})"),
            Self::UnknownReference => "указывает на то, чего нет".to_owned(),
            Self::Past => "должно быть в будущем".to_owned(),
            Self::Settings(SettingsError::EndsBeforeOpening) => "должно быть позже, чем opens_at".to_owned(),
            Self::Settings(SettingsError::PasswordMissing) => "нужно указать для комнаты с паролем".to_owned(),
            Self::Settings(SettingsError::PasswordUnused) => "бывает только у комнат с паролем".to_owned(),
        }
    }
}
