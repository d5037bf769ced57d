#include "backend/actors/useractor.h"

#include "backend/actors/audit.h"
#include "realtime/protocol/codec.h"

#include <QJsonDocument>
#include <QJsonObject>
#include <QLoggingCategory>

namespace foundry::backend {

Q_LOGGING_CATEGORY(lcUser, "foundry.actors.user")

namespace {

QString useractorApp()
{
    return QStringLiteral("app");
}

QString useractorOverlay()
{
    return QStringLiteral("overlay");
}

Error useractorInvalid(const QString &field, const QString &message)
{
    return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), message, {}, field);
}

template <class T>
std::optional<T> useractorRow(ActorContext &context, const QString &topic, const QString &type, const QString &id)
{
    const auto entity = context.row(topic, type, id);
    const T *value = entity ? std::get_if<T>(&*entity) : nullptr;
    return value ? std::optional(*value) : std::nullopt;
}

// What a command answers with: the row as it is stored now.
template <class T>
Result<QByteArray> useractorAnswer(ActorContext &context, const QString &topic, const QString &type, const QString &id)
{
    const auto value = useractorRow<T>(context, topic, type, id);
    if (!value) {
        return makeError(QLatin1StringView("internal"), QLatin1StringView("row_missing"),
            QStringLiteral("The changed record cannot be read."));
    }
    return protocol::encodeValue(*value);
}

} // namespace

UserActor::UserActor(ActorContext &context, QString displayName, Role role)
    : Actor(context)
    , m_displayName(std::move(displayName))
    , m_role(role)
{
}

void UserActor::started()
{
    const QString organization = QStringLiteral("local");
    const bool isKnown = context().row(useractorApp(), QStringLiteral("User"), accountId()).has_value();
    const auto before = useractorRow<Organization>(context(), useractorApp(), QStringLiteral("Organization"), organization);
    // Another token may give another role; without one there is nobody to tell.
    if (isKnown && (m_role == Role::None || !before || before->role == roleText(m_role)))
        return;
    auto made = context().transaction([&](Transaction &tx) -> Result<> {
        if (!isKnown) {
            User user;
            user.id = AccountId(accountId());
            user.name = m_displayName;
            user.activeOrganizationId = OrganizationId(organization);
            tx.put(useractorApp(), user);
        }
        Organization local = before.value_or(Organization{});
        local.id = OrganizationId(organization);
        local.name = accountId() == organization ? QStringLiteral("This computer") : QStringLiteral("Shared computer");
        local.kind = OrganizationKind::Local;
        local.role = roleText(m_role);
        tx.put(useractorApp(), local);
        return Unit{};
    });
    if (!made)
        qCWarning(lcUser, "the first record of the user cannot be written: %ls", qUtf16Printable(made.error().message));
}

void UserActor::registerActions(ActionTable &table)
{
    table.read(QStringLiteral("listSignIns"), [](const Caller &, QByteArrayView) -> Result<QByteArray> {
        return QByteArrayLiteral("[]"); // nobody is signed in anywhere yet
    });
    table.command(QStringLiteral("selectOrganization"),
        [this](Transaction &tx, const Caller &, QByteArrayView args) { return selectOrganization(tx, args); });
    table.command(QStringLiteral("setDefaults"),
        [this](Transaction &tx, const Caller &, QByteArrayView args) { return setDefaults(tx, args); });
    table.command(QStringLiteral("updateDraft"),
        [this](Transaction &tx, const Caller &, QByteArrayView args) { return updateDraft(tx, args); });
    table.command(QStringLiteral("setUnread"), [this](Transaction &tx, const Caller &, QByteArrayView args) {
        return changeTask<SetUnread>(
            tx, args, [](TaskOverlay &overlay, const SetUnread &command) { overlay.unread = command.unread; });
    });
    table.command(QStringLiteral("setSeen"), [this](Transaction &tx, const Caller &, QByteArrayView args) {
        return changeTask<SetSeen>(tx, args, [](TaskOverlay &overlay, const SetSeen &command) {
            overlay.lastSeenAt = qMax(overlay.lastSeenAt, command.at);
            overlay.unread = false;
        });
    });
    table.command(QStringLiteral("setOrder"), [this](Transaction &tx, const Caller &, QByteArrayView args) {
        return changeTask<SetOrder>(
            tx, args, [](TaskOverlay &overlay, const SetOrder &command) { overlay.order = command.order; });
    });
    table.command(QStringLiteral("setActiveSession"), [this](Transaction &tx, const Caller &, QByteArrayView args) {
        return changeTask<SetActiveSession>(tx, args,
            [](TaskOverlay &overlay, const SetActiveSession &command) { overlay.activeSessionId = command.sessionId; });
    });
    const auto later = [](Transaction &, const Caller &, QByteArrayView) -> Result<QByteArray> {
        return makeError(QLatin1StringView("state"), QLatin1StringView("not_available"),
            QStringLiteral("There are no sign-ins on this host yet, so there is nothing to end."));
    };
    table.command(QStringLiteral("signOut"), later);
    table.command(QStringLiteral("revokeSignIn"), later);
}

template <class Command, class Change>
Result<QByteArray> UserActor::changeTask(Transaction &tx, QByteArrayView args, Change change)
{
    auto command = protocol::decodeArgs<Command>(args);
    if (!command)
        return command.error();
    if (command->taskId.isEmpty())
        return useractorInvalid(QStringLiteral("taskId"), QStringLiteral("A task must be named."));
    const QString type = QStringLiteral("TaskOverlay");
    TaskOverlay overlay = useractorRow<TaskOverlay>(context(), useractorOverlay(), type, command->taskId.value)
                              .value_or(TaskOverlay{});
    overlay.id = command->taskId;
    change(overlay, *command);
    tx.put(useractorOverlay(), overlay);
    return useractorAnswer<TaskOverlay>(context(), useractorOverlay(), type, command->taskId.value);
}

Result<QByteArray> UserActor::selectOrganization(Transaction &tx, QByteArrayView args)
{
    auto command = protocol::decodeArgs<SelectOrganization>(args);
    if (!command)
        return command.error();
    if (!context().row(useractorApp(), QStringLiteral("Organization"), command->organizationId.value))
        return useractorInvalid(QStringLiteral("organizationId"), QStringLiteral("You are not in this organization."));
    const QString type = QStringLiteral("User");
    auto user = useractorRow<User>(context(), useractorApp(), type, accountId());
    if (user) {
        user->activeOrganizationId = command->organizationId;
        tx.put(useractorApp(), *user);
    }
    return useractorAnswer<User>(context(), useractorApp(), type, accountId());
}

Result<QByteArray> UserActor::setDefaults(Transaction &tx, QByteArrayView args)
{
    auto command = protocol::decodeArgs<SetDefaults>(args);
    if (!command)
        return command.error();
    const QString type = QStringLiteral("User");
    auto user = useractorRow<User>(context(), useractorApp(), type, accountId());
    if (user) {
        user->defaults = command->defaults;
        tx.put(useractorApp(), *user);
        audit(tx, user->activeOrganizationId,
            {auditkind::defaultsChanged, {}, {}, {{QStringLiteral("agent"), user->defaults.agent.value_or(AgentId{}).value}}});
    }
    return useractorAnswer<User>(context(), useractorApp(), type, accountId());
}

Result<QByteArray> UserActor::updateDraft(Transaction &tx, QByteArrayView args)
{
    auto command = protocol::decodeArgs<UpdateDraft>(args);
    if (!command)
        return command.error();
    if (command->sessionId.isEmpty())
        return useractorInvalid(QStringLiteral("sessionId"), QStringLiteral("A session must be named."));
    const QString type = QStringLiteral("SessionOverlay");
    const QString id = command->sessionId.value;
    SessionOverlay overlay
        = useractorRow<SessionOverlay>(context(), useractorOverlay(), type, id).value_or(SessionOverlay{});
    overlay.id = command->sessionId;
    overlay.draft = command->draft;
    tx.put(useractorOverlay(), overlay);
    return useractorAnswer<SessionOverlay>(context(), useractorOverlay(), type, id);
}

Result<> UserActor::received(Transaction &tx, const Send &send)
{
    if (send.name == QLatin1StringView("organization")) {
        auto organization = protocol::decodeValue<Organization>(send.json);
        if (!organization)
            return organization.error();
        tx.put(useractorApp(), *organization);
        return Unit{};
    }
    if (send.name == QLatin1StringView("organizationRemoved")) {
        const QString id = QJsonDocument::fromJson(send.json).object().value(QLatin1StringView("id")).toString();
        tx.remove(useractorApp(), QStringLiteral("Organization"), id);
        return Unit{};
    }
    return Actor::received(tx, send);
}

} // namespace foundry::backend
