/** Every text of the pages, in every language. Plural forms are those of `Intl.PluralRules`, chosen by `n`. */

import { ADMIN_TEXTS } from "./texts-admin.js";
import { RULE_TEXTS } from "./texts-rules.js";
import { SETTING_TEXTS } from "./texts-settings.js";

/** @typedef {string | Partial<Record<Intl.LDMLPluralRule, string>>} Text */

const BASE_TEXTS = /** @satisfies {Record<string, { en: Text, ru: Text }>} */ ({
  cancel: { en: "Cancel", ru: "Отмена" },
  close: { en: "Close", ru: "Закрыть" },
  delete: { en: "Delete", ru: "Удалить" },
  keep: { en: "Keep", ru: "Оставить" },
  language: { en: "Language", ru: "Язык" },
  optional: { en: "(optional)", ru: "(необязательно)" },
  retry: { en: "Retry", ru: "Повторить" },
  sign_out: { en: "Sign out", ru: "Выйти" },
  unread: {
    en: { one: "{n} unread", other: "{n} unread" },
    ru: { one: "{n} непрочитанное", few: "{n} непрочитанных", many: "{n} непрочитанных", other: "{n} непрочитанных" },
  },
  you: { en: "You", ru: "Вы" },
  "you.elsewhere": { en: "you (in another window)", ru: "вы (в другом окне)" },

  "theme.dark": { en: "Dark theme", ru: "Тёмная тема" },
  "theme.light": { en: "Light theme", ru: "Светлая тема" },

  "problem.unreachable": {
    en: "The server does not answer. Try again in a moment.",
    ru: "Сервер не отвечает. Попробуйте чуть позже.",
  },
  "problem.unknown": {
    en: "Something went wrong on the server. Try again.",
    ru: "На сервере что-то пошло не так. Попробуйте ещё раз.",
  },

  "copy.link": { en: "Copy link", ru: "Скопировать ссылку" },
  "copy.link_to": { en: "Copy link to {name}", ru: "Скопировать ссылку: {name}" },
  "copy.invite": { en: "Invite", ru: "Пригласить" },
  "copy.done": { en: "Copied", ru: "Скопировано" },
  "copy.by_hand": {
    en: "The browser does not allow copying here. The link: {link}",
    ru: "Браузер не разрешает копировать. Ссылка: {link}",
  },

  "role.owner": { en: "Owner", ru: "Владелец" },
  "role.host": { en: "Host", ru: "Ведущий" },
  "role.moderator": { en: "Moderator", ru: "Модератор" },
  "role.participant": { en: "Member", ru: "Участник" },
  "role.none": { en: "Not a member", ru: "Вы не участник" },
  "role.and_you": { en: "{role}, you", ru: "{role}, вы" },

  "day.today": { en: "Today", ru: "Сегодня" },
  "day.yesterday": { en: "Yesterday", ru: "Вчера" },
  "active.now": { en: "Active now", ru: "Сейчас внутри люди" },
  "active.moment": { en: "Active just now", ru: "Активность только что" },
  "active.minutes": {
    en: { one: "Active {n} min ago", other: "Active {n} min ago" },
    ru: { one: "Активность {n} мин назад", few: "Активность {n} мин назад", many: "Активность {n} мин назад", other: "Активность {n} мин назад" },
  },
  "active.hours": {
    en: { one: "Active {n} hour ago", other: "Active {n} hours ago" },
    ru: { one: "Активность {n} час назад", few: "Активность {n} часа назад", many: "Активность {n} часов назад", other: "Активность {n} часа назад" },
  },
  "active.yesterday": { en: "Active yesterday", ru: "Активность вчера" },
  "active.on": { en: "Active on {date}", ru: "Активность {date}" },

  "motto.rooms": { en: "Rooms that stay.", ru: "Комнаты, которые остаются." },
  "motto.chat": { en: "Chat that never loses a line.", ru: "Чат, который не теряет ни строки." },

  "signin.title": { en: "Sign in", ru: "Вход" },
  "signin.about": { en: "About CloudMeet", ru: "О CloudMeet" },
  "signin.submit": { en: "Sign in", ru: "Войти" },
  "signin.working": { en: "Signing in…", ru: "Входим…" },
  "signin.new": { en: "New here?", ru: "Впервые здесь?" },
  "signin.to_create": { en: "Create an account", ru: "Создать аккаунт" },
  "signin.to_signin": { en: "Sign in", ru: "Войти" },
  "signin.wrong": { en: "E-mail or password is not right.", ru: "Почта или пароль не подходят." },
  "signin.failed": { en: "That did not work", ru: "Не получилось" },
  "signin.too_many": { en: "Too many attempts", ru: "Слишком много попыток" },
  "signin.wait": {
    en: { one: "Try again in {n} second.", other: "Try again in {n} seconds." },
    ru: {
      one: "Попробуйте снова через {n} секунду.",
      few: "Попробуйте снова через {n} секунды.",
      many: "Попробуйте снова через {n} секунд.",
      other: "Попробуйте снова через {n} секунды.",
    },
  },
  "signin.ended": {
    en: "You were signed out after a long pause. Sign in and go on where you were.",
    ru: "После долгого перерыва сеанс закончился. Войдите и продолжите с того же места.",
  },
  "signin.ended_in": {
    en: "You were signed out after a long pause. Sign in and you will be back in",
    ru: "После долгого перерыва сеанс закончился. Войдите, и вы вернётесь туда же:",
  },
  "create.title": { en: "Create an account", ru: "Новый аккаунт" },
  "create.submit": { en: "Create account", ru: "Создать аккаунт" },
  "create.working": { en: "Creating account…", ru: "Создаём аккаунт…" },
  "create.have": { en: "Have an account?", ru: "Уже есть аккаунт?" },
  "create.taken": { en: "There is an account with this e-mail already.", ru: "Аккаунт с этой почтой уже есть." },
  "reset.title": { en: "Set a new password", ru: "Новый пароль" },
  "reset.lead": {
    en: "You came by a link from an administrator. It works once.",
    ru: "Вы открыли ссылку от администратора. Она действует один раз.",
  },
  "reset.password": { en: "New password", ru: "Новый пароль" },
  "reset.submit": { en: "Set password", ru: "Сохранить пароль" },
  "reset.working": { en: "Setting password…", ru: "Сохраняем пароль…" },
  "reset.done": { en: "Your new password is set. Sign in with it.", ru: "Новый пароль сохранён. Войдите с ним." },

  "setup.title": { en: "Set up CloudMeet", ru: "Настройка CloudMeet" },
  "setup.lead": {
    en: "This server has no administrator yet. The account you make here manages it.",
    ru: "У этого сервера ещё нет администратора. Аккаунт, созданный здесь, будет им управлять.",
  },
  "setup.admin": { en: "You will be the administrator", ru: "Вы будете администратором" },
  "setup.admin.more": {
    en: "You can add people and pass the role on later.",
    ru: "Позже можно добавить людей и передать эту роль.",
  },
  "field.name": { en: "Your name", ru: "Ваше имя" },
  "field.name.hint": { en: "People in a room see this.", ru: "Его видят люди в комнате." },
  "field.name.missing": { en: "Write the name that others will see.", ru: "Напишите имя, которое увидят другие." },
  "field.email": { en: "E-mail", ru: "Почта" },
  "field.email.missing": { en: "Write your e-mail.", ru: "Напишите свою почту." },
  "field.password": { en: "Password", ru: "Пароль" },
  "field.password.hint": { en: "At least 8 characters.", ru: "Не меньше 8 символов." },
  "field.password.missing": { en: "Write your password.", ru: "Напишите пароль." },
  "password.show": { en: "Show password", ru: "Показать пароль" },

  "rooms.title": { en: "Rooms", ru: "Комнаты" },
  "rooms.skip": { en: "Skip to rooms", ru: "К списку комнат" },
  "rooms.search": { en: "Search rooms", ru: "Найти комнату" },
  "rooms.new": { en: "New room", ru: "Новая комната" },
  "rooms.join": { en: "Join by link", ru: "Войти по ссылке" },
  "rooms.all": { en: "All rooms", ru: "Все комнаты" },
  "rooms.more": { en: "Show more", ru: "Показать ещё" },
  "rooms.loading": { en: "Loading rooms…", ru: "Загружаем комнаты…" },
  "rooms.inside": {
    en: { one: "{n} inside", other: "{n} inside" },
    ru: { one: "{n} внутри", few: "{n} внутри", many: "{n} внутри", other: "{n} внутри" },
  },
  "rooms.empty": { en: "No rooms yet", ru: "Комнат пока нет" },
  "rooms.empty.about": {
    en: "A room stays where it is, with its people and its chat, until you delete it. Make one, or open a link someone gave you.",
    ru: "Комната остаётся на месте, с людьми и чатом, пока вы её не удалите. Создайте свою или откройте ссылку, которую вам дали.",
  },
  "rooms.none": { en: "Nothing found", ru: "Ничего не нашлось" },
  "rooms.none.about": {
    en: "No room has “{query}” in its name or description.",
    ru: "Ни у одной комнаты в названии и описании нет «{query}».",
  },
  "rooms.unreachable": { en: "The server does not answer", ru: "Сервер не отвечает" },
  "rooms.unreachable.about": {
    en: {
      one: "Your rooms are safe; this page cannot reach them. It tries again by itself in {n} second.",
      other: "Your rooms are safe; this page cannot reach them. It tries again by itself in {n} seconds.",
    },
    ru: {
      one: "Комнаты на месте, но страница не может до них дойти. Она попробует снова через {n} секунду.",
      few: "Комнаты на месте, но страница не может до них дойти. Она попробует снова через {n} секунды.",
      many: "Комнаты на месте, но страница не может до них дойти. Она попробует снова через {n} секунд.",
      other: "Комнаты на месте, но страница не может до них дойти. Она попробует снова через {n} секунды.",
    },
  },
  "rooms.delete": { en: "Delete {name}", ru: "Удалить: {name}" },
  "rooms.delete.sure": { en: "Delete this room for everyone?", ru: "Удалить эту комнату для всех?" },
  "rooms.deleted": { en: "{name} was deleted", ru: "Комната удалена: {name}" },

  "room.name": { en: "Name", ru: "Название" },
  "room.name.missing": { en: "Give the room a name.", ru: "Дайте комнате название." },
  "room.about": { en: "About", ru: "Описание" },
  "room.about.hint": { en: "What people meet here for", ru: "Для чего здесь встречаются" },
  "room.create": { en: "Create", ru: "Создать" },
  "room.creating": { en: "Creating…", ru: "Создаём…" },
  "room.not_created": { en: "The room was not created", ru: "Комната не создана" },
  "room.loading": { en: "Opening the room…", ru: "Открываем комнату…" },
  "room.unreachable.about": {
    en: {
      one: "The room is safe; this page cannot reach it. It tries again by itself in {n} second.",
      other: "The room is safe; this page cannot reach it. It tries again by itself in {n} seconds.",
    },
    ru: {
      one: "Комната на месте, но страница не может до неё дойти. Она попробует снова через {n} секунду.",
      few: "Комната на месте, но страница не может до неё дойти. Она попробует снова через {n} секунды.",
      many: "Комната на месте, но страница не может до неё дойти. Она попробует снова через {n} секунд.",
      other: "Комната на месте, но страница не может до неё дойти. Она попробует снова через {n} секунды.",
    },
  },

  "join.link": { en: "Link or code", ru: "Ссылка или код" },
  "join.hint": { en: "For example {host}/r/12, or just 12.", ru: "Например, {host}/r/12 или просто 12." },
  "join.go": { en: "Open", ru: "Открыть" },
  "join.empty": { en: "Paste a link or a room’s code.", ru: "Вставьте ссылку или код комнаты." },
  "join.unreadable": { en: "This is no link to a room.", ru: "Это не ссылка на комнату." },
  "join.foreign": {
    en: "This link leads to another server, not to {host}.",
    ru: "Эта ссылка ведёт на другой сервер, а не на {host}.",
  },

  "prejoin.inside": { en: "Inside now", ru: "Сейчас внутри" },
  "prejoin.preview": { en: "How others see you", ru: "Как вас видят другие" },
  "prejoin.nobody": { en: "Nobody is inside yet.", ru: "Внутри пока никого." },
  "prejoin.are_inside": {
    en: { one: "Inside: {names}.", other: "Inside: {names}." },
    ru: { one: "Внутри: {names}.", few: "Внутри: {names}.", many: "Внутри: {names}.", other: "Внутри: {names}." },
  },
  "prejoin.more": {
    en: { one: "{n} more", other: "{n} more" },
    ru: { one: "ещё {n}", few: "ещё {n}", many: "ещё {n}", other: "ещё {n}" },
  },
  "prejoin.join": { en: "Join", ru: "Войти" },
  "prejoin.joining": { en: "Joining…", ru: "Входим…" },
  "prejoin.failed": { en: "You could not join", ru: "Войти не получилось" },

  "link.name": { en: "Connection", ru: "Соединение" },
  "link.lost": { en: "Connection lost.", ru: "Нет соединения." },
  "link.back": { en: "Connected again.", ru: "Соединение восстановлено." },
  "link.connecting": { en: "Connecting…", ru: "Подключаемся…" },
  "link.again": {
    en: { one: "Trying again in {n} second.", other: "Trying again in {n} seconds." },
    ru: {
      one: "Новая попытка через {n} секунду.",
      few: "Новая попытка через {n} секунды.",
      many: "Новая попытка через {n} секунд.",
      other: "Новая попытка через {n} секунды.",
    },
  },
  "link.kept": { en: "What you write is kept and sent once.", ru: "Написанное сохранится и уйдёт один раз." },
  "link.retry": { en: "Retry now", ru: "Повторить сейчас" },

  "call.controls": { en: "Call controls", ru: "Управление звонком" },
  "call.leave": { en: "Leave", ru: "Выйти" },
  "call.people": {
    en: { one: "{n} person inside", other: "{n} people inside" },
    ru: { one: "Внутри {n} человек", few: "Внутри {n} человека", many: "Внутри {n} человек", other: "Внутри {n} человека" },
  },

  "people.title": { en: "People", ru: "Участники" },
  "people.close": { en: "Close people", ru: "Закрыть список участников" },
  "people.everyone": { en: "Everyone", ru: "Все" },
  "people.inside": {
    en: { one: "In the call · {n}", other: "In the call · {n}" },
    ru: { one: "В звонке · {n}", few: "В звонке · {n}", many: "В звонке · {n}", other: "В звонке · {n}" },
  },
  "people.around": {
    en: { one: "Has the room open · {n}", other: "Have the room open · {n}" },
    ru: { one: "Открыли комнату · {n}", few: "Открыли комнату · {n}", many: "Открыли комнату · {n}", other: "Открыли комнату · {n}" },
  },
  "people.around.list": { en: "Not in the call", ru: "Не в звонке" },
  "people.came": { en: "{name} joined.", ru: "{name}: вход в звонок." },
  "people.went": { en: "{name} left.", ru: "{name}: выход из звонка." },

  "chat.title": { en: "Chat", ru: "Чат" },
  "chat.close": { en: "Close chat", ru: "Закрыть чат" },
  "chat.message": { en: "Message", ru: "Сообщение" },
  "chat.placeholder": { en: "Write to everyone", ru: "Написать всем участникам" },
  "chat.send": { en: "Send", ru: "Отправить" },
  "chat.keys": {
    en: "Enter sends, Shift and Enter make a new line",
    ru: "Enter отправляет, Shift + Enter — новая строка",
  },
  "chat.too_long": {
    en: { one: "{n} character too many", other: "{n} characters too many" },
    ru: {
      one: "Лишний {n} символ",
      few: "Лишние {n} символа",
      many: "Лишние {n} символов",
      other: "Лишние {n} символа",
    },
  },
  "chat.typing": {
    en: { one: "{names} is typing…", other: "{names} are typing…" },
    ru: { one: "{names} печатает…", few: "{names} печатают…", many: "{names} печатают…", other: "{names} печатают…" },
  },
  "chat.announce": { en: "{name}: {text}", ru: "{name}: {text}" },
  "chat.loading": { en: "Loading the chat…", ru: "Загружаем чат…" },
  "chat.empty": { en: "Nobody has written anything yet.", ru: "Здесь ещё никто ничего не написал." },
  "chat.older": { en: "Loading older messages…", ru: "Загружаем более ранние сообщения…" },
  "chat.older.failed": {
    en: "Older messages could not be loaded.",
    ru: "Не удалось загрузить более ранние сообщения.",
  },
  "chat.new": {
    en: { one: "{n} new", other: "{n} new" },
    ru: {
      one: "{n} новое сообщение",
      few: "{n} новых сообщения",
      many: "{n} новых сообщений",
      other: "{n} новых сообщения",
    },
  },
  "chat.unread": { en: "New", ru: "Новые сообщения" },
  "chat.edited": { en: "(edited)", ru: "(изменено)" },
  "chat.deleted": { en: "Message deleted", ru: "Сообщение удалено" },
  "chat.sending": { en: "Sending…", ru: "Отправляется…" },
  "chat.waiting": { en: "Waiting for the connection", ru: "Ждёт соединения" },
  "chat.not_sent": { en: "Not sent", ru: "Не отправлено" },
  "chat.reply": { en: "Reply", ru: "Ответить" },
  "chat.edit": { en: "Edit", ru: "Изменить" },
  "chat.editing": { en: "Editing:", ru: "Правка:" },
  "chat.delete": { en: "Delete message", ru: "Удалить сообщение" },
  "chat.delete.sure": { en: "Delete this message?", ru: "Удалить это сообщение?" },
  "chat.quote.older": { en: "An earlier message", ru: "Более раннее сообщение" },

  "ended.left": { en: "You left {name}", ru: "Вы вышли из комнаты «{name}»" },
  "ended.left.nobody": { en: "Nobody is inside now.", ru: "Внутри никого не осталось." },
  "ended.left.others": {
    en: { one: "{n} person is still inside.", other: "{n} people are still inside." },
    ru: {
      one: "Внутри остался {n} человек.",
      few: "Внутри осталось {n} человека.",
      many: "Внутри осталось {n} человек.",
      other: "Внутри осталось {n} человека.",
    },
  },
  "ended.left.about": {
    en: "The chat stays in the room; you will find it as you left it.",
    ru: "Чат остаётся в комнате: вы найдёте его таким, каким оставили.",
  },
  "ended.rejoin": { en: "Rejoin", ru: "Вернуться" },
  "ended.elsewhere": { en: "Opened elsewhere", ru: "Открыто в другом месте" },
  "ended.elsewhere.about": {
    en: "You are in this call in another window or on another device. Only one of them can be inside at a time.",
    ru: "Вы в этом звонке в другом окне или на другом устройстве. Внутри может быть только одно из них.",
  },
  "ended.here": { en: "Join here", ru: "Войти здесь" },
  "ended.out": { en: "You are no longer in {name}", ru: "Вы больше не в комнате «{name}»" },
  "ended.out.about": {
    en: "Your membership of this room has ended. If you may come in, you can join again.",
    ru: "Ваше участие в этой комнате закончилось. Если вход открыт, можно войти снова.",
  },
  "ended.closed": { en: "{name} was deleted", ru: "Комната «{name}» удалена" },
  "ended.closed.about": {
    en: "Its owner closed it for good. Nobody is inside, and nobody can come in.",
    ru: "Владелец закрыл её навсегда. Внутри никого нет, и войти больше нельзя.",
  },
  "ended.missing": { en: "This room does not exist", ru: "Такой комнаты нет" },
  "ended.missing.about": {
    en: "The link may be mistyped, or the room was deleted. Ask whoever sent it for a new one.",
    ru: "Возможно, в ссылке опечатка или комнату удалили. Попросите новую у того, кто её прислал.",
  },
});

export const TEXTS = { ...BASE_TEXTS, ...RULE_TEXTS, ...SETTING_TEXTS, ...ADMIN_TEXTS };
