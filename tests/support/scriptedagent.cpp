// An ACP agent made for tests, run as a real process. Its first argument says how it behaves; after it may stand
// "--journal FILE" (a line with its pid for each start, session/new, session/load and prompt) and
// "--login FILE" (session/new is refused as with `login` unless the file was there when the process began).
//   ok           modes, options, commands; repeats the prompt in two pieces; session/load replays
//   split        the same, its output cut into small writes and several messages in one
//   garbage      prints text that is no message, and answers nothing
//   garbageflood prints text that is no message without end
//   chatter      prints a line of text before each message, as some agents do
//   exit         exits at once with status 3
//   crash        dies by SIGSEGV in the first prompt
//   silent       reads, never answers
//   mute         answers all but prompts, and no cancel
//   slow         says a word every 100 ms, 12 times
//   flood        100 MB of message in one prompt; stops when cancelled
//   hugeline     one line of 40 MiB
//   deaf         answers no prompt, ignores cancel, end of input and SIGTERM
//   children     starts a child, and one in its own session, and says their pids; then waits for ever
//   login        session/new is refused with -32000;  latelogin: the prompt is
//   permission   asks for a permission whose tool call was never announced, and says how it was answered
//   twopermissions  asks for two at once
//   forgetful    as ok, but cannot take up a session
//   resuming     as ok, and takes up a session by session/resume alone
//   lost         as ok, and says that it can load sessions, but knows none
//   stream       five hundred words, one every two milliseconds
//   plans        a plan, a word, and the plan as it is then
//   options      says which model, mode and effort it was set to; tells them when a session is taken up too
//   question     asks a form of one field of each type, and says what it got; "late" in the prompt: takes it back
//   questionurl  sends to a page; "done" in the prompt: says at once that the page was completed
//   strange      unknown updates, requests and notifications; says how its requests were answered
//   toolupdates  a tool call told in pieces
//   version2     speaks another version
//   closeoutput  closes its output and stays
//   rootless     refuses session/new the way claude does as root
#include <QByteArray>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QMap>
#include <QString>
#include <QStringList>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <functional>
#include <poll.h>
#include <unistd.h>

namespace {

QString &mode()
{
    static QString held;
    return held;
}
QString &journalFile()
{
    static QString held;
    return held;
}
bool loggedIn = true;
QMap<int, std::function<void(const QJsonObject &)>> &waiting()
{
    static QMap<int, std::function<void(const QJsonObject &)>> held;
    return held;
}
int nextId = 0;
int sessions = 0; // given out
QMap<QString, QString> &settings()
{
    static QMap<QString, QString> held{{QStringLiteral("model"), QStringLiteral("m1")}, {QStringLiteral("mode"), QStringLiteral("auto")},
    {QStringLiteral("effort"), QStringLiteral("low")}};
    return held;
}

void writeAll(const QByteArray &bytes)
{
    qsizetype done = 0;
    while (done < bytes.size()) {
        const qsizetype piece = mode() == QLatin1StringView("split") ? std::min<qsizetype>(7, bytes.size() - done) : bytes.size() - done;
        const ssize_t n = ::write(STDOUT_FILENO, bytes.constData() + done, size_t(piece));
        if (n <= 0)
            std::exit(0);
        done += n;
    }
}

// One write for a line: it is there whole, or not at all, whatever happens after.
void journal(const QString &line)
{
    if (journalFile().isEmpty())
        return;
    const int file = ::open(journalFile().toLocal8Bit().constData(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    const QByteArray bytes = QByteArray::number(qint64(::getpid())) + ' ' + line.toUtf8() + '\n';
    if (file < 0 || ::write(file, bytes.constData(), size_t(bytes.size())) != bytes.size())
        std::abort();
    ::close(file);
}

QByteArray encode(QJsonObject message)
{
    message.insert(QStringLiteral("jsonrpc"), QStringLiteral("2.0"));
    return QJsonDocument(message).toJson(QJsonDocument::Compact) + '\n';
}

void send(const QJsonObject &message)
{
    if (mode() == QLatin1StringView("chatter"))
        writeAll("a word beside the protocol\n");
    writeAll(encode(message));
}

QJsonObject update(const QString &session, const QJsonObject &fields)
{
    return {{QStringLiteral("method"), QStringLiteral("session/update")},
        {QStringLiteral("params"), QJsonObject{{QStringLiteral("sessionId"), session}, {QStringLiteral("update"), fields}}}};
}

QJsonObject chunk(const QString &text, const QString &kind = QStringLiteral("agent_message_chunk"))
{
    return {{QStringLiteral("sessionUpdate"), kind},
        {QStringLiteral("content"), QJsonObject{{QStringLiteral("type"), QStringLiteral("text")}, {QStringLiteral("text"), text}}}};
}

void say(const QString &session, const QString &text)
{
    send(update(session, chunk(text)));
}

void answer(const QJsonValue &id, const QJsonObject &result)
{
    send({{QStringLiteral("id"), id}, {QStringLiteral("result"), result}});
}

void refuse(const QJsonValue &id, int code, const QString &message)
{
    send({{QStringLiteral("id"), id},
        {QStringLiteral("error"), QJsonObject{{QStringLiteral("code"), code}, {QStringLiteral("message"), message}}}});
}

void endTurn(const QJsonValue &id, const QString &reason = QStringLiteral("end_turn"))
{
    answer(id, {{QStringLiteral("stopReason"), reason}});
}

void ask(const QString &method, const QJsonObject &params, const std::function<void(const QJsonObject &)> &then)
{
    // Ids count from 0 in both directions: a client with one table for both mixes them up.
    waiting().insert(nextId, then);
    send({{QStringLiteral("id"), nextId++}, {QStringLiteral("method"), method}, {QStringLiteral("params"), params}});
}

QJsonObject json(const char *text)
{
    return QJsonDocument::fromJson(text).object();
}

void askPermission(const QString &session, const QString &call, std::function<void(const QString &)> then)
{
    QJsonObject params = json(R"({"toolCall":{"title":"Write NOTES.md","kind":"edit","status":"pending",
        "content":[{"type":"diff","path":"/w/NOTES.md","oldText":null,"newText":"notes\n"}]},
        "options":[{"kind":"allow_once","name":"Allow","optionId":"yes"},{"kind":"reject_once","name":"Reject","optionId":"no"}]})");
    QJsonObject tool = params.value(QStringLiteral("toolCall")).toObject();
    tool.insert(QStringLiteral("toolCallId"), call);
    params.insert(QStringLiteral("toolCall"), tool);
    params.insert(QStringLiteral("sessionId"), session);
    ask(QStringLiteral("session/request_permission"), params, [then](const QJsonObject &message) {
        const QJsonObject outcome = message.value(QStringLiteral("result")).toObject().value(QStringLiteral("outcome")).toObject();
        then(outcome.value(QStringLiteral("outcome")).toString() == QStringLiteral("selected")
                ? outcome.value(QStringLiteral("optionId")).toString()
                : QStringLiteral("cancelled"));
    });
}

qint64 forkSleeper(bool ownSession)
{
    const pid_t pid = ::fork();
    if (pid == 0) {
        if (ownSession)
            ::setsid();
        ::signal(SIGTERM, SIG_IGN);
        ::close(STDIN_FILENO);
        for (;;)
            ::pause();
    }
    return pid;
}

// Looks whether a cancel has come, without waiting; what else comes is lost.
bool isCancelled()
{
    pollfd input{STDIN_FILENO, POLLIN, 0};
    if (::poll(&input, 1, 0) <= 0)
        return false;
    char bytes[65536];
    const ssize_t n = ::read(STDIN_FILENO, bytes, sizeof bytes);
    return n > 0 && QByteArray(bytes, qsizetype(n)).contains("session/cancel");
}

void prompt(const QJsonValue &id, const QString &session, const QString &text)
{
    if (mode() == QLatin1StringView("mute") || mode() == QLatin1StringView("deaf")) {
        say(session, QStringLiteral("working"));
    } else if (mode() == QLatin1StringView("crash")) {
        std::fprintf(stderr, "about to crash\n");
        ::signal(SIGSEGV, SIG_DFL);
        ::raise(SIGSEGV);
    } else if (mode() == QLatin1StringView("slow")) {
        for (int i = 0; i < 12; ++i) {
            ::usleep(100000);
            say(session, QStringLiteral("word "));
        }
        endTurn(id);
    } else if (mode() == QLatin1StringView("stream")) {
        for (int i = 0; i < 500; ++i) {
            ::usleep(2000);
            say(session, QStringLiteral("wört%1 ").arg(i));
        }
        endTurn(id);
    } else if (mode() == QLatin1StringView("plans")) {
        send(update(session, json(R"({"sessionUpdate":"plan","entries":[{"content":"one","priority":"high","status":"in_progress"}]})")));
        say(session, text);
        ::usleep(150000);
        send(update(session, json(R"({"sessionUpdate":"plan","entries":[{"content":"one","priority":"high","status":"completed"},{"content":"two","priority":"low","status":"pending"}]})")));
        endTurn(id);
    } else if (mode() == QLatin1StringView("flood")) {
        const QByteArray line = encode(update(session, chunk(QString(10000, QLatin1Char('x')))));
        for (int i = 0; i < 10000; ++i) {
            writeAll(line);
            if (isCancelled()) {
                endTurn(id, QStringLiteral("cancelled"));
                return;
            }
        }
        endTurn(id);
    } else if (mode() == QLatin1StringView("hugeline")) {
        say(session, QString(40 * 1024 * 1024, QLatin1Char('x')));
        endTurn(id);
    } else if (mode() == QLatin1StringView("children")) {
        const qint64 inGroup = forkSleeper(false);
        const qint64 ownSession = forkSleeper(true);
        say(session, QStringLiteral("%1 %2").arg(inGroup).arg(ownSession));
    } else if (mode() == QLatin1StringView("options")) {
        send(update(session, json(R"({"sessionUpdate":"usage_update","used":500,"size":1000})")));
        say(session, QStringLiteral("model=%1 mode=%2 effort=%3").arg(settings().value(QStringLiteral("model")), settings().value(QStringLiteral("mode")),
            settings().value(QStringLiteral("effort"))));
        endTurn(id);
    } else if (mode() == QLatin1StringView("latelogin")) {
        refuse(id, -32000, QStringLiteral("Authentication required"));
    } else if (mode() == QLatin1StringView("permission")) {
        askPermission(session, QStringLiteral("call-1"), [id, session](const QString &option) {
            if (option == QStringLiteral("cancelled")) {
                endTurn(id, QStringLiteral("cancelled"));
                return;
            }
            QJsonObject fields = json(R"({"sessionUpdate":"tool_call_update","toolCallId":"call-1"})");
            fields.insert(QStringLiteral("status"), option == QStringLiteral("yes") ? QStringLiteral("completed") : QStringLiteral("failed"));
            send(update(session, fields));
            say(session, QStringLiteral("answer: ") + option);
            endTurn(id);
        });
    } else if (mode() == QLatin1StringView("question") || mode() == QLatin1StringView("questionurl")) {
        QJsonObject params = mode() == QLatin1StringView("question")
            ? json(R"({"mode":"form","message":"How shall it be built?","requestedSchema":{"type":"object","required":["branch","jobs"],"properties":{
                "branch":{"type":"string","title":"Branch","oneOf":[{"const":"main","title":"Main"},{"const":"next","title":"Next"}]},
                "jobs":{"type":"integer","minimum":1,"maximum":8,"default":2},"factor":{"type":"number"},"clean":{"type":"boolean","default":false},
                "name":{"type":"string","minLength":2,"pattern":"^[a-z]+$"},
                "parts":{"type":"array","items":{"anyOf":[{"const":"a","title":"A"},{"const":"b","title":"B"}]},"maxItems":1}}}})")
            : json(R"({"mode":"url","message":"Log in there","url":"https://example.org/login","elicitationId":"e1"})");
        params.insert(QStringLiteral("sessionId"), session);
        const int rpcId = nextId;
        ask(QStringLiteral("elicitation/create"), params, [id, session](const QJsonObject &message) {
            const QJsonObject result = message.value(QStringLiteral("result")).toObject();
            say(session, QString::fromUtf8(QJsonDocument(result).toJson(QJsonDocument::Compact)));
            endTurn(id, result.value(QStringLiteral("action")).toString() == QStringLiteral("cancel") ? QStringLiteral("cancelled") : QStringLiteral("end_turn"));
        });
        if (text.contains(QStringLiteral("done")))
            send({{QStringLiteral("method"), QStringLiteral("elicitation/complete")},
                {QStringLiteral("params"), QJsonObject{{QStringLiteral("elicitationId"), QStringLiteral("e1")}}}});
        if (text.contains(QStringLiteral("late"))) {
            waiting().remove(rpcId);
            send({{QStringLiteral("method"), QStringLiteral("$/cancel_request")}, {QStringLiteral("params"), QJsonObject{{QStringLiteral("requestId"), rpcId}}}});
            endTurn(id);
        }
    } else if (mode() == QLatin1StringView("twopermissions")) {
        static int open;
        static QStringList answers;
        open = 2;
        for (const QString &call : {QStringLiteral("a"), QStringLiteral("b")}) {
            askPermission(session, call, [id, session, call](const QString &option) {
                answers.append(call + QLatin1Char('=') + option);
                if (--open == 0) {
                    say(session, answers.join(QLatin1Char(' ')));
                    endTurn(id, answers.last().endsWith(QStringLiteral("cancelled")) ? QStringLiteral("cancelled") : QStringLiteral("end_turn"));
                }
            });
        }
    } else if (mode() == QLatin1StringView("strange")) {
        send(update(session, json(R"({"sessionUpdate":"hologram_update","beam":7})")));
        send(update(session, json(R"({"sessionUpdate":"session_info_update","_meta":{"x":1}})")));
        send(update(QStringLiteral("no-such-session"), chunk(QStringLiteral("lost"))));
        send({{QStringLiteral("method"), QStringLiteral("_auth/status_update")}, {QStringLiteral("params"), QJsonObject()}});
        send({{QStringLiteral("id"), 4711}, {QStringLiteral("result"), QJsonObject()}});
        send({{QStringLiteral("hello"), QStringLiteral("world")}});
        ask(QStringLiteral("craft/drainMidTurnQueue"), {}, [id, session](const QJsonObject &first) {
            const int code = first.value(QStringLiteral("error")).toObject().value(QStringLiteral("code")).toInt();
            QJsonObject params = json(R"({"mode":"hologram","message":"Which colour?"})");
            params.insert(QStringLiteral("sessionId"), session);
            ask(QStringLiteral("elicitation/create"), params, [id, session, code](const QJsonObject &second) {
                const QString action = second.value(QStringLiteral("result")).toObject().value(QStringLiteral("action")).toString();
                say(session, QStringLiteral("%1 %2").arg(code).arg(action));
                endTurn(id);
            });
        });
    } else if (mode() == QLatin1StringView("toolupdates")) {
        send(update(session, json(R"({"sessionUpdate":"tool_call_update","toolCallId":"t1","title":"Preparing file…"})")));
        send(update(session, json(R"({"sessionUpdate":"tool_call_update","toolCallId":"t1","_meta":{"claude":1}})")));
        send(update(session, json(R"({"sessionUpdate":"tool_call","toolCallId":"t1","title":"Run ls","kind":"execute","status":"in_progress","rawInput":{"cmd":"ls"}})")));
        send(update(session, json(R"({"sessionUpdate":"tool_call_update","toolCallId":"t1","title":null,"_meta":{"terminal_output":{"data":"one\n"}}})")));
        send(update(session, json(R"({"sessionUpdate":"tool_call_update","toolCallId":"t1","_meta":{"terminal_output":{"data":"two\n"}}})")));
        send(update(session, json(R"({"sessionUpdate":"tool_call_update","toolCallId":"t1","status":"completed","locations":[{"path":"/w/a","line":3}]})")));
        send(update(session, json(R"({"sessionUpdate":"tool_call","toolCallId":"t2","title":"Left open","kind":"read"})")));
        send(update(session, json(R"({"sessionUpdate":"plan","entries":[{"content":"one","priority":"high","status":"completed"}]})")));
        send(update(session, json(R"({"sessionUpdate":"usage_update","used":120,"size":1000,"cost":{"amount":0.5,"currency":"USD"}})")));
        send(update(session, json(R"({"sessionUpdate":"current_mode_update","currentModeId":"plan"})")));
        endTurn(id);
    } else {
        const qsizetype half = text.size() / 2;
        send(update(session, chunk(QStringLiteral("hm"), QStringLiteral("agent_thought_chunk"))));
        // Two messages in one write.
        writeAll(encode(update(session, chunk(text.left(half)))) + encode(update(session, chunk(text.mid(half)))));
        endTurn(id);
    }
}

QJsonArray effortOption()
{
    QJsonObject effort = json(R"({"id":"effort","name":"Effort","category":"thought_level","type":"select",
        "options":[{"value":"low","name":"Low"},{"value":"high","name":"High"}]})");
    effort.insert(QStringLiteral("currentValue"), settings().value(QStringLiteral("effort")));
    return {effort};
}

// Modes and options, as they stand.
QJsonObject offers()
{
    QJsonObject result = json(R"({"modes":{"currentModeId":"auto","availableModes":[{"id":"auto","name":"Auto"},{"id":"default","name":"Ask"}]},
        "configOptions":[{"id":"model","name":"Model","category":"model","type":"select","currentValue":"m1",
        "options":[{"value":"m1","name":"One"},{"group":"g","name":"More","options":[{"value":"m2","name":"Two"}]}]}]})");
    if (mode() == QLatin1StringView("options")) {
        QJsonArray offered = result.value(QStringLiteral("configOptions")).toArray();
        offered.append(effortOption().first());
        result.insert(QStringLiteral("configOptions"), offered);
    }
    return result;
}

void handle(const QJsonObject &message)
{
    const QString method = message.value(QStringLiteral("method")).toString();
    const QJsonValue id = message.value(QStringLiteral("id"));
    const QJsonObject params = message.value(QStringLiteral("params")).toObject();
    const QString session = params.value(QStringLiteral("sessionId")).toString();
    if (method.isEmpty()) {
        if (const auto then = waiting().take(id.toInt()))
            then(message);
    } else if (method == QLatin1StringView("initialize")) {
        QJsonObject result = json(R"({"protocolVersion":1,"agentInfo":{"name":"scripted","title":"Scripted agent","version":"1.0"},
            "agentCapabilities":{"loadSession":true,"sessionCapabilities":{"list":{},"close":{}}},
            "authMethods":[{"id":"key","name":"Use a key","description":"Set KEY"}]})");
        if (mode() == QLatin1StringView("forgetful"))
            result.insert(QStringLiteral("agentCapabilities"), QJsonObject());
        if (mode() == QLatin1StringView("resuming"))
            result.insert(QStringLiteral("agentCapabilities"), json(R"({"sessionCapabilities":{"resume":{},"close":{}}})"));
        if (mode() == QLatin1StringView("version2"))
            result.insert(QStringLiteral("protocolVersion"), 2);
        answer(id, result);
        if (mode() == QLatin1StringView("closeoutput"))
            ::close(STDOUT_FILENO);
    } else if (method == QLatin1StringView("authenticate")) {
        answer(id, {});
    } else if (method == QLatin1StringView("session/new")) {
        journal(QStringLiteral("new ") + params.value(QStringLiteral("cwd")).toString());
        if (mode() == QLatin1StringView("login") || !loggedIn) {
            refuse(id, -32000, QStringLiteral("Authentication required"));
            return;
        }
        if (mode() == QLatin1StringView("rootless")) {
            refuse(id, -32603, QStringLiteral("--dangerously-skip-permissions cannot be used with root/sudo privileges"));
            return;
        }
        if (!params.value(QStringLiteral("mcpServers")).isArray()) {
            refuse(id, -32602, QStringLiteral("mcpServers is missing"));
            return;
        }
        const QString made = QStringLiteral("s%1").arg(++sessions);
        // Before the answer, as opencode does.
        send(update(made, json(R"({"sessionUpdate":"available_commands_update","availableCommands":[{"name":"review","description":"Reviews","input":{"hint":"what"}}]})")));
        QJsonObject result = offers();
        result.insert(QStringLiteral("sessionId"), made);
        answer(id, result);
    } else if (method == QLatin1StringView("session/resume") && mode() == QLatin1StringView("resuming")) {
        sessions = std::max(sessions, QStringView(session).mid(1).toInt());
        journal(QStringLiteral("resume ") + session);
        answer(id, {});
    } else if (method == QLatin1StringView("session/load") && (mode() == QLatin1StringView("lost") || mode() == QLatin1StringView("resuming"))) {
        refuse(id, -32002, QStringLiteral("Resource not found: ") + session);
    } else if (method == QLatin1StringView("session/load")) {
        sessions = std::max(sessions, QStringView(session).mid(1).toInt());
        journal(QStringLiteral("load %1 %2").arg(session, params.value(QStringLiteral("cwd")).toString()));
        send(update(session, chunk(QStringLiteral("earlier prompt"), QStringLiteral("user_message_chunk"))));
        send(update(session, chunk(QStringLiteral("earlier answer"))));
        answer(id, mode() == QLatin1StringView("options") ? offers() : QJsonObject());
    } else if (method == QLatin1StringView("session/list")) {
        answer(id, json(R"({"sessions":[{"sessionId":"s1","cwd":"/w","title":"One"}]})"));
    } else if (method == QLatin1StringView("session/set_mode") && mode() == QLatin1StringView("options")) {
        settings().insert(QStringLiteral("mode"), params.value(QStringLiteral("modeId")).toString());
        answer(id, {});
    } else if (method == QLatin1StringView("session/set_config_option") && mode() == QLatin1StringView("options")) {
        const QString option = params.value(QStringLiteral("configId")).toString();
        settings().insert(option, params.value(QStringLiteral("value")).toString());
        QJsonObject model = json(R"({"id":"model","name":"Model","category":"model","type":"select","options":[{"value":"m1","name":"One"},{"value":"m2","name":"Two"}]})");
        model.insert(QStringLiteral("currentValue"), settings().value(QStringLiteral("model")));
        answer(id, {{QStringLiteral("configOptions"), QJsonArray{model, effortOption().first()}}});
    } else if (method == QLatin1StringView("session/set_mode") || method == QLatin1StringView("session/close")) {
        answer(id, {});
    } else if (method == QLatin1StringView("session/set_config_option")) {
        QJsonObject option = json(R"({"id":"model","name":"Model","category":"model","type":"select","options":[]})");
        option.insert(QStringLiteral("currentValue"), params.value(QStringLiteral("value")));
        answer(id, {{QStringLiteral("configOptions"), QJsonArray{option}}});
    } else if (method == QLatin1StringView("session/prompt")) {
        const QString text = params.value(QStringLiteral("prompt")).toArray().at(0).toObject().value(QStringLiteral("text")).toString();
        journal(QStringLiteral("prompt ") + text);
        prompt(id, session, text);
    } else if (!id.isUndefined()) {
        refuse(id, -32601, QStringLiteral("Method not found"));
    }
}

} // namespace

int main(int argc, char **argv)
{
    mode() = QString::fromLocal8Bit(argc > 1 ? argv[1] : "ok");
    for (int i = 2; i + 1 < argc; i += 2) {
        if (qstrcmp(argv[i], "--journal") == 0)
            journalFile() = QString::fromLocal8Bit(argv[i + 1]);
        else if (qstrcmp(argv[i], "--login") == 0)
            loggedIn = ::access(argv[i + 1], F_OK) == 0;
    }
    journal(QStringLiteral("start"));
    if (mode() == QLatin1StringView("exit")) {
        std::fprintf(stderr, "cannot start: no configuration\n");
        return 3;
    }
    if (mode() == QLatin1StringView("garbage"))
        writeAll("Welcome to the agent!\n> \n{ not json }\n");
    while (mode() == QLatin1StringView("garbageflood"))
        writeAll("Welcome to the agent!\n");
    if (mode() == QLatin1StringView("deaf"))
        ::signal(SIGTERM, SIG_IGN);

    char *line = nullptr;
    size_t room = 0;
    for (;;) {
        const ssize_t length = ::getline(&line, &room, stdin);
        if (length <= 0)
            break;
        // A turn that waits for a permission ends when that is answered; session/cancel itself needs no answer.
        if (mode() != QLatin1StringView("silent") && mode() != QLatin1StringView("garbage"))
            handle(QJsonDocument::fromJson(QByteArray(line, qsizetype(length))).object());
    }
    std::free(line);
    while (mode() == QLatin1StringView("deaf") || mode() == QLatin1StringView("closeoutput"))
        ::pause();
    return 0;
}
