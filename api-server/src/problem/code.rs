//! The kinds of problems: a stable word, an HTTP status and a text in each language.

use axum::http::StatusCode;

use super::Language;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $status:ident, $english:literal, $russian:literal;)*) => {
        /// Names a kind of problem; the word behind it never changes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            /// Every kind of problem.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Gives the word for programs.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// Gives the HTTP status.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }

            /// Gives the text for a person; `{seconds}` stands for when to try again.
            #[must_use]
            pub const fn text(self, language: Language) -> &'static str {
                match (self, language) {
                    $((Self::$name, Language::English) => $english,
                    (Self::$name, Language::Russian) => $russian,)*
                }
            }
        }
    };
}

codes! {
    /// The body is no JSON.
    UnreadableBody = "unreadable_body", BAD_REQUEST,
        "The request cannot be read.", "Запрос не удалось прочитать.";
    /// The body is not declared as JSON.
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE,
        "The body must be application/json.", "Тело запроса должно иметь тип application/json.";
    /// The body is longer than 64 KiB.
    BodyTooLarge = "body_too_large", PAYLOAD_TOO_LARGE,
        "The body must not be longer than 64 KiB.", "Тело запроса не может быть больше 64 КиБ.";
    /// Fields break rules.
    Invalid = "invalid", UNPROCESSABLE_ENTITY,
        "Some fields are not right.", "Некоторые поля заполнены неверно.";
    /// No token came.
    Unauthenticated = "unauthenticated", UNAUTHORIZED,
        "Sign in first.", "Сначала войдите в систему.";
    /// The access token is not good.
    InvalidToken = "invalid_token", UNAUTHORIZED,
        "The access token is not valid.", "Токен доступа недействителен.";
    /// The session ended.
    SessionOver = "session_over", UNAUTHORIZED,
        "The session is over. Sign in again.", "Сеанс завершён. Войдите снова.";
    /// Address or password is wrong.
    WrongCredentials = "wrong_credentials", UNAUTHORIZED,
        "E-mail or password is not right.", "Неверная почта или пароль.";
    /// The refresh token is not good.
    InvalidRefreshToken = "invalid_refresh_token", UNAUTHORIZED,
        "The session cannot be renewed. Sign in again.", "Сеанс нельзя продлить. Войдите снова.";
    /// The WebSocket ticket is not good.
    InvalidTicket = "invalid_ticket", UNAUTHORIZED,
        "The ticket is not valid.", "Билет недействителен.";
    /// The account was deactivated.
    AccountInactive = "account_inactive", FORBIDDEN,
        "This account is deactivated.", "Эта учётная запись отключена.";
    /// Nobody may register.
    RegistrationClosed = "registration_closed", FORBIDDEN,
        "Registration is closed. Ask an administrator for an account.",
        "Регистрация закрыта. Попросите администратора создать учётную запись.";
    /// The setup code is not good.
    InvalidSetupCode = "invalid_setup_code", FORBIDDEN,
        "The setup link is no longer valid. Restart the server for a new one.",
        "Ссылка для настройки больше не действует. Перезапустите сервер, чтобы получить новую.";
    /// The code for a new password is not good.
    InvalidResetCode = "invalid_reset_code", FORBIDDEN,
        "The link for a new password is no longer valid. Ask an administrator for another.",
        "Ссылка для нового пароля больше не действует. Попросите у администратора другую.";
    /// A password is wrong: a room's, or the present one that a new one needs.
    WrongPassword = "wrong_password", FORBIDDEN,
        "The password is not right.", "Пароль неверен.";
    /// The room asks for a password.
    PasswordRequired = "password_required", FORBIDDEN,
        "This room needs a password.", "Для входа в эту комнату нужен пароль.";
    /// The person was banned from the room.
    Banned = "banned", FORBIDDEN,
        "You were banned from this room.", "Вам закрыт доступ в эту комнату.";
    /// The room opens later.
    NotOpen = "not_open", FORBIDDEN,
        "The room is not open yet.", "Комната ещё не открыта.";
    /// As many are inside as the room takes.
    RoomFull = "room_full", FORBIDDEN,
        "The room is full.", "В комнате нет свободных мест.";
    /// Nobody may do this to the room's owner.
    AgainstOwner = "against_owner", FORBIDDEN,
        "Nobody may do this to the room's owner.", "Это нельзя сделать с владельцем комнаты.";
    /// The page that asks is not ours.
    ForeignOrigin = "foreign_origin", FORBIDDEN,
        "Requests from other sites are refused.", "Запросы с других сайтов не принимаются.";
    /// The person may not.
    Forbidden = "forbidden", FORBIDDEN,
        "You may not do this.", "У вас нет прав на это действие.";
    /// Only members may.
    NotMember = "not_member", FORBIDDEN,
        "Join the room first.", "Сначала войдите в комнату.";
    /// The path names nothing.
    NotFound = "not_found", NOT_FOUND,
        "There is nothing here.", "Здесь ничего нет.";
    /// There is no such room for this person.
    RoomNotFound = "room_not_found", NOT_FOUND,
        "There is no such room.", "Такой комнаты нет.";
    /// There is no such message in the room.
    MessageNotFound = "message_not_found", NOT_FOUND,
        "There is no such message.", "Такого сообщения нет.";
    /// The person is not in the room.
    NotInRoom = "not_in_room", NOT_FOUND,
        "You are not in this room.", "Вы не в этой комнате.";
    /// The person meant is not in the room.
    PersonNotInRoom = "person_not_in_room", NOT_FOUND,
        "This person is not in the room.", "Этого человека нет в комнате.";
    /// There is no such account.
    UserNotFound = "user_not_found", NOT_FOUND,
        "There is no such account.", "Такой учётной записи нет.";
    /// There is no such key for programs.
    ApiKeyNotFound = "api_key_not_found", NOT_FOUND,
        "There is no such key.", "Такого ключа нет.";
    /// The path does not know the method.
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED,
        "This address does not know this method.", "Этот адрес не поддерживает такой метод.";
    /// Somebody has the address.
    EmailTaken = "email_taken", CONFLICT,
        "There is an account with this e-mail.", "Учётная запись с такой почтой уже есть.";
    /// Nobody else can administer the installation.
    LastAdministrator = "last_administrator", CONFLICT,
        "Somebody has to administer CloudMeet. Make somebody else an administrator first.",
        "Кто-то должен управлять CloudMeet. Сначала назначьте администратором другого.";
    /// The room was deleted.
    RoomClosed = "room_closed", CONFLICT,
        "The room is closed. Its history stays readable.", "Комната закрыта. Её историю можно читать.";
    /// Another room has the name in links.
    SlugTaken = "slug_taken", CONFLICT,
        "Another room has this link name.", "Такое имя ссылки уже занято другой комнатой.";
    /// A resource elsewhere says what the room is like; `{manager}` stands for whose.
    ManagedElsewhere = "managed_elsewhere", CONFLICT,
        "{manager} manages this room: change it there.", "Этой комнатой управляет {manager}: меняйте её там.";
    /// Another resource keeps the room; `{manager}` stands for whose.
    AdoptionConflict = "adoption_conflict", CONFLICT,
        "The room is managed by {manager} already.", "Этой комнатой уже управляет {manager}.";
    /// Nobody who can sign in has the address.
    OwnerNotFound = "owner_not_found", CONFLICT,
        "There is no active account with the owner's address.",
        "Активной учётной записи с адресом владельца нет.";
    /// The resource was said to be gone for good.
    ResourceGone = "resource_gone", GONE,
        "This resource is gone for good and keeps no room any more.",
        "Этот ресурс удалён насовсем и больше не ведёт комнату.";
    /// The person does not wait in the lobby.
    NotWaiting = "not_waiting", CONFLICT,
        "This person does not wait any more.", "Этот человек больше не ждёт.";
    /// The room is not private.
    NotPrivate = "not_private", CONFLICT,
        "Only private rooms have a link code.", "Код ссылки есть только у закрытых комнат.";
    /// The message was deleted.
    MessageDeleted = "message_deleted", CONFLICT,
        "The message was deleted.", "Сообщение удалено.";
    /// The name by which the server was addressed is not its own.
    WrongHost = "wrong_host", MISDIRECTED_REQUEST,
        "This server does not answer under this name. Set PUBLIC_URL to the address people type.",
        "Сервер не отвечает под этим именем. Задайте в PUBLIC_URL адрес, который вводят люди.";
    /// Too many requests of one kind.
    RateLimited = "rate_limited", TOO_MANY_REQUESTS,
        "Too many attempts. Try again in {seconds} seconds.",
        "Слишком много попыток. Повторите через {seconds} с.";
    /// Too many sockets of one person or address.
    TooManySockets = "too_many_sockets", TOO_MANY_REQUESTS,
        "Too many open connections.", "Слишком много открытых соединений.";
    /// The server has too much to do.
    Overloaded = "overloaded", SERVICE_UNAVAILABLE,
        "The server is busy. Try again in {seconds} seconds.", "Сервер занят. Повторите через {seconds} с.";
    /// The store is away.
    Unavailable = "unavailable", SERVICE_UNAVAILABLE,
        "The server cannot reach its database. Try again in {seconds} seconds.",
        "Сервер не может связаться с базой данных. Повторите через {seconds} с.";
    /// Another service is away.
    ServiceUnavailable = "service_unavailable", SERVICE_UNAVAILABLE,
        "A part of the system is away. Try again in {seconds} seconds.",
        "Часть системы недоступна. Повторите через {seconds} с.";
    /// Another service broke off, or answered nonsense.
    BadGateway = "bad_gateway", BAD_GATEWAY,
        "A part of the system broke off. Try again in {seconds} seconds.",
        "Часть системы не смогла ответить. Повторите через {seconds} с.";
    /// Another service took too long.
    GatewayTimeout = "gateway_timeout", GATEWAY_TIMEOUT,
        "A part of the system does not answer. Try again in {seconds} seconds.",
        "Часть системы не отвечает. Повторите через {seconds} с.";
    /// The server is going down.
    ShuttingDown = "shutting_down", SERVICE_UNAVAILABLE,
        "The server is restarting. Try again in {seconds} seconds.",
        "Сервер перезапускается. Повторите через {seconds} с.";
    /// The disk is full.
    StorageFull = "storage_full", INSUFFICIENT_STORAGE,
        "The server has no space left.", "На сервере закончилось место.";
    /// A fault of the server.
    Internal = "internal", INTERNAL_SERVER_ERROR,
        "Something went wrong on the server.", "На сервере произошла ошибка.";
    /// A frame of the socket that is no JSON object with a type.
    BadFrame = "bad_frame", BAD_REQUEST,
        "A frame must be a JSON object with a type.", "Сообщение должно быть объектом JSON с полем type.";
    /// A frame of an unknown type.
    UnknownType = "unknown_type", BAD_REQUEST,
        "The server does not know frames of this type.", "Сервер не знает сообщений такого типа.";
    /// A frame about a room that the socket does not follow.
    NotSubscribed = "not_subscribed", FORBIDDEN,
        "Subscribe to the room first.", "Сначала подпишитесь на комнату.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_a_word_of_its_own_in_snake_case() {
        let mut words: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert!(words.iter().all(|word| word.chars().all(|c| c.is_ascii_lowercase() || c == '_')));
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), Code::ALL.len());
    }
}
