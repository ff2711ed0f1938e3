/** Texts about coming in, being let in, moderating, and what ends a call. */

/** @typedef {import("./texts.js").Text} Text */

export const RULE_TEXTS = /** @satisfies {Record<string, { en: Text, ru: Text }>} */ ({
  "rooms.private": { en: "Private", ru: "Закрытая" },
  "rooms.password": { en: "Password", ru: "По паролю" },
  "rooms.lobby": { en: "Lobby", ru: "С залом ожидания" },
  "rooms.opens": { en: "Opens {time}", ru: "Откроется {time}" },

  "door.password": { en: "Room password", ru: "Пароль комнаты" },
  "door.password.missing": { en: "Write the room’s password.", ru: "Напишите пароль комнаты." },
  "door.wrong_password": { en: "That is not the room’s password.", ru: "Это не пароль комнаты." },
  "door.lobby": { en: "A host lets people in here.", ru: "Сюда впускает ведущий." },
  "door.hidden": {
    en: "Who is inside is shown to its members.",
    ru: "Кто внутри, видно только участникам комнаты.",
  },
  "door.not_open": { en: "Not open until {time}", ru: "Откроется {time}" },
  "door.not_open.about": {
    en: "You can stay here: Join works as soon as the room opens.",
    ru: "Можно остаться здесь: кнопка заработает, как только комната откроется.",
  },
  "door.room_full": { en: "The room is full", ru: "Комната заполнена" },
  "door.room_full.about": {
    en: {
      one: "It takes {n} person. Try again when somebody has left.",
      other: "It takes {n} people. Try again when somebody has left.",
    },
    ru: {
      one: "В ней помещается {n} человек. Попробуйте снова, когда кто-нибудь выйдет.",
      few: "В ней помещается {n} человека. Попробуйте снова, когда кто-нибудь выйдет.",
      many: "В ней помещается {n} человек. Попробуйте снова, когда кто-нибудь выйдет.",
      other: "В ней помещается {n} человека. Попробуйте снова, когда кто-нибудь выйдет.",
    },
  },
  "door.again": { en: "Try again", ru: "Попробовать снова" },

  "waiting.title": { en: "Waiting for someone to let you in", ru: "Ждём, пока вас впустят" },
  "waiting.about": { en: "The hosts have been told.", ru: "Ведущие уже знают." },
  "waiting.place": { en: "You are {nth} in line.", ru: "Вы {nth} в очереди." },
  "waiting.stop": { en: "Stop waiting", ru: "Больше не ждать" },
  "waiting.admitted": { en: "You were let in.", ru: "Вас впустили." },

  "lobby.title": {
    en: { one: "Waiting to come in · {n}", other: "Waiting to come in · {n}" },
    ru: { one: "Ждут входа · {n}", few: "Ждут входа · {n}", many: "Ждут входа · {n}", other: "Ждут входа · {n}" },
  },
  "lobby.list": { en: "Waiting", ru: "Ждут входа" },
  "lobby.count": {
    en: { one: "{n} person waiting", other: "{n} people waiting" },
    ru: { one: "Ждёт {n} человек", few: "Ждут {n} человека", many: "Ждут {n} человек", other: "Ждут {n} человека" },
  },
  "lobby.wants": { en: "wants to come in", ru: "просит впустить" },
  "lobby.more": {
    en: { one: "and {n} more", other: "and {n} more" },
    ru: { one: "и ещё {n}", few: "и ещё {n}", many: "и ещё {n}", other: "и ещё {n}" },
  },
  "lobby.announce": { en: "{name} wants to come in.", ru: "{name}: просьба впустить." },
  "lobby.admit": { en: "Admit", ru: "Впустить" },
  "lobby.deny": { en: "Deny", ru: "Отказать" },
  "lobby.admit.name": { en: "Admit {name}", ru: "Впустить: {name}" },
  "lobby.deny.name": { en: "Deny {name}", ru: "Отказать: {name}" },
  "lobby.admit_all": { en: "Admit all", ru: "Впустить всех" },
  "lobby.full": {
    en: { one: "The room is full; {n} person waits on.", other: "The room is full; {n} people wait on." },
    ru: {
      one: "Комната заполнена, {n} человек ждёт дальше.",
      few: "Комната заполнена, {n} человека ждут дальше.",
      many: "Комната заполнена, {n} человек ждут дальше.",
      other: "Комната заполнена, {n} человека ждут дальше.",
    },
  },

  "person.more": { en: "More for {name}", ru: "Действия: {name}" },
  "person.muted": { en: "Muted by a host", ru: "Микрофон выключил ведущий" },
  "person.mute": { en: "Mute", ru: "Выключить микрофон" },
  "person.promote": { en: "Make moderator", ru: "Сделать модератором" },
  "person.demote": { en: "Make participant", ru: "Сделать участником" },
  "person.hand_on": { en: "Make owner", ru: "Сделать владельцем" },
  "person.kick": { en: "Remove", ru: "Удалить из комнаты" },
  "person.ban": { en: "Ban", ru: "Заблокировать" },
  "person.hand_on.sure": { en: "Make {name} the owner?", ru: "Сделать владельцем: {name}?" },
  "person.hand_on.about": {
    en: "The room will be theirs: only they can delete it, export its chat or give it back. You stay a moderator.",
    ru: "Комната перейдёт к этому человеку: только он сможет её удалить, выгрузить чат или вернуть комнату вам. Вы останетесь модератором.",
  },
  "person.kick.sure": { en: "Remove {name}?", ru: "Удалить из комнаты: {name}?" },
  "person.kick.about": {
    en: "They leave the call and the room’s members. They can come again.",
    ru: "Человек выйдет из звонка и из участников комнаты, но сможет войти снова.",
  },
  "person.ban.sure": { en: "Ban {name}?", ru: "Заблокировать: {name}?" },
  "person.ban.about": {
    en: "They leave the room and cannot come again until a host lifts the ban in the room’s settings.",
    ru: "Человек выйдет из комнаты и не сможет войти, пока ведущий не снимет блокировку в настройках.",
  },
  "person.muted.done": { en: "{name} is muted.", ru: "Микрофон выключен: {name}." },
  "person.promoted.done": { en: "{name} is a moderator now.", ru: "Теперь модератор: {name}." },
  "person.demoted.done": { en: "{name} is a participant now.", ru: "Теперь участник: {name}." },
  "person.removed.done": { en: "{name} was removed.", ru: "Участник удалён: {name}." },
  "person.banned.done": { en: "{name} was banned.", ru: "Участник заблокирован: {name}." },
  "person.owner.done": { en: "{name} owns the room now.", ru: "Теперь владелец комнаты: {name}." },
  "role.changed.owner": { en: "You own this room now.", ru: "Теперь эта комната ваша." },
  "role.changed.moderator": { en: "You are a moderator now.", ru: "Теперь вы модератор." },
  "role.changed.participant": { en: "You are a participant now.", ru: "Теперь вы участник." },

  "keys.title": { en: "Keyboard shortcuts", ru: "Горячие клавиши" },
  "keys.chat": { en: "Open or close the chat", ru: "Открыть или закрыть чат" },
  "keys.people": { en: "Open or close the list of people", ru: "Открыть или закрыть список участников" },
  "keys.list": { en: "List these keys", ru: "Показать эти клавиши" },
  "keys.on": { en: "Use these keys", ru: "Использовать эти клавиши" },
  "keys.on.about": {
    en: "Switch them off if you dictate or use other tools that write letters.",
    ru: "Отключите их, если диктуете текст или пользуетесь программами, которые сами нажимают буквы.",
  },

  "more.title": { en: "More", ru: "Ещё" },
  "more.settings": { en: "Room settings", ru: "Настройки комнаты" },
  "more.search": { en: "Search in chat", ru: "Поиск в чате" },
  "more.export": { en: "Export chat", ru: "Выгрузить чат" },
  "more.keys": { en: "Keyboard shortcuts", ru: "Горячие клавиши" },
  "more.leave": { en: "Leave for good", ru: "Покинуть комнату совсем" },
  "more.end": { en: "End for all", ru: "Завершить для всех" },
  "leave.sure": { en: "Leave {name} for good?", ru: "Покинуть «{name}» совсем?" },
  "leave.about": {
    en: "You are no longer a member and no longer see its chat. To come back you join again, as if for the first time.",
    ru: "Вы больше не участник и не видите чат. Вернуться можно будет, только войдя заново, как в первый раз.",
  },
  "end.sure": { en: "End the meeting for all?", ru: "Завершить встречу для всех?" },
  "end.about": {
    en: "Everybody leaves the call. The room, its members and its chat stay.",
    ru: "Все выйдут из звонка. Комната, её участники и чат останутся.",
  },

  "closing.name": { en: "End of the meeting", ru: "Конец встречи" },
  "closing.soon": { en: "This meeting ends at {time}.", ru: "Встреча закончится в {time}." },

  "ended.gone": { en: "You left {name} for good", ru: "Вы покинули комнату «{name}» совсем" },
  "ended.gone.about": {
    en: "You are no longer a member. If you may come in, you can join again.",
    ru: "Вы больше не участник. Если вход открыт, можно войти снова.",
  },
  "ended.kicked": { en: "You were removed from {name}", ru: "Вас удалили из комнаты «{name}»" },
  "ended.kicked.about": {
    en: "A host took you out of the call. If you may come in, you can join again.",
    ru: "Ведущий вывел вас из звонка. Если вход открыт, можно войти снова.",
  },
  "ended.banned": { en: "You were banned from {name}", ru: "Вас заблокировали в комнате «{name}»" },
  "ended.banned.about": {
    en: "You cannot come in again unless a host lifts the ban.",
    ru: "Войти снова нельзя, пока ведущий не снимет блокировку.",
  },
  "ended.denied": { en: "You were not let in to {name}", ru: "Вас не впустили в комнату «{name}»" },
  "ended.denied.about": {
    en: "A host turned your request down. You can ask once more; they decide.",
    ru: "Ведущий отклонил просьбу. Можно попросить ещё раз: решает он.",
  },
  "ended.ended": { en: "The host ended the call", ru: "Ведущий завершил звонок" },
  "ended.ended.about": {
    en: "Everyone has left. The room and its chat are still here, and anyone can start again.",
    ru: "Все вышли. Комната и её чат на месте, и начать снова может любой.",
  },
  "ended.over": { en: "{name} has closed", ru: "Комната «{name}» закрылась" },
  "ended.over.about": {
    en: "The time it was open for is over. Its hosts can open it again.",
    ru: "Время, на которое её открыли, вышло. Открыть её снова могут ведущие.",
  },
  "ended.ask": { en: "Ask again", ru: "Попросить ещё раз" },

  "search.name": { en: "Search in chat", ru: "Поиск в чате" },
  "search.close": { en: "Close search", ru: "Закрыть поиск" },
  "search.hint": { en: "Write at least two characters.", ru: "Напишите хотя бы два символа." },
  "search.loading": { en: "Searching…", ru: "Ищем…" },
  "search.none": { en: "Nothing found.", ru: "Ничего не нашлось." },
  "search.results": { en: "Found messages", ru: "Найденные сообщения" },
  "search.count": {
    en: { one: "{n} message found", other: "{n} messages found" },
    ru: {
      one: "Найдено {n} сообщение",
      few: "Найдено {n} сообщения",
      many: "Найдено {n} сообщений",
      other: "Найдено {n} сообщения",
    },
  },
  "search.more": { en: "Show older ones", ru: "Показать более ранние" },
  "search.back": { en: "Back to the results", ru: "К результатам" },
  "search.around": { en: "Around this message", ru: "Вокруг этого сообщения" },
});
