#include "backend/actors/lifecyclemessages.h"

#include "backend/actors/messagejson.h"

namespace foundry::backend {

namespace {

QString lifecycleText(const QJsonObject &object, const char *key)
{
    return object.value(QLatin1StringView(key)).toString();
}

QJsonObject lifecycleSaved(const SavedWork &saved)
{
    return QJsonDocument::fromJson(encodeSavedWork(saved)).object();
}

QJsonObject lifecycleLoss(const TaskLoss &loss)
{
    return {{QStringLiteral("uncommitted"), loss.uncommitted}, {QStringLiteral("untracked"), loss.untracked}, {QStringLiteral("unpushed"), loss.unpushed},
        {QStringLiteral("at"), loss.at}, {QStringLiteral("paths"), QJsonArray::fromStringList(loss.paths)}};
}

TaskLoss lifecycleLossFrom(const QJsonObject &object)
{
    TaskLoss loss;
    loss.uncommitted = object.value(QLatin1StringView("uncommitted")).toInteger();
    loss.untracked = object.value(QLatin1StringView("untracked")).toInteger();
    loss.unpushed = object.value(QLatin1StringView("unpushed")).toInteger();
    loss.at = object.value(QLatin1StringView("at")).toInteger();
    const QJsonArray paths = object.value(QLatin1StringView("paths")).toArray();
    for (const auto &path : paths)
        loss.paths.append(path.toString());
    return loss;
}

} // namespace

QByteArray encodeLifecycleOrder(const LifecycleOrder &order)
{
    return messagejson::text({{QStringLiteral("order"), order.order}, {QStringLiteral("kind"), order.kind}, {QStringLiteral("job"), order.job},
        {QStringLiteral("keepBranch"), order.keepBranch}, {QStringLiteral("by"), order.by}});
}

Result<LifecycleOrder> decodeLifecycleOrder(const QByteArray &json)
{
    auto read = messagejson::object(json, {QLatin1StringView("order"), QLatin1StringView("kind"), QLatin1StringView("job")});
    if (!read)
        return read.error();
    return LifecycleOrder{read->value(QLatin1StringView("order")).toInteger(), lifecycleText(*read, "kind"), lifecycleText(*read, "job"),
        read->value(QLatin1StringView("keepBranch")).toBool(), lifecycleText(*read, "by")};
}

QByteArray encodeLifecycleEnded(const LifecycleEnded &ended)
{
    QJsonObject object{{QStringLiteral("task"), ended.task.value}, {QStringLiteral("kind"), ended.kind}, {QStringLiteral("job"), ended.job},
        {QStringLiteral("cancelled"), ended.cancelled}, {QStringLiteral("kept"), ended.kept}};
    messagejson::putError(object, ended.error);
    if (ended.again)
        object.insert(QStringLiteral("again"), true);
    if (ended.loss)
        object.insert(QStringLiteral("loss"), lifecycleLoss(*ended.loss));
    return messagejson::text(object);
}

Result<LifecycleEnded> decodeLifecycleEnded(const QByteArray &json)
{
    auto read = messagejson::object(json, {QLatin1StringView("task"), QLatin1StringView("kind"), QLatin1StringView("job")});
    if (!read)
        return read.error();
    LifecycleEnded ended;
    ended.task.value = lifecycleText(*read, "task");
    ended.kind = lifecycleText(*read, "kind");
    ended.job = lifecycleText(*read, "job");
    ended.error = messagejson::optionalError(*read);
    ended.cancelled = read->value(QLatin1StringView("cancelled")).toBool();
    ended.kept = lifecycleText(*read, "kept");
    ended.again = read->value(QLatin1StringView("again")).toBool();
    if (read->contains(QLatin1StringView("loss")))
        ended.loss = lifecycleLossFrom(read->value(QLatin1StringView("loss")).toObject());
    return ended;
}

QByteArray encodePlaceOrder(const PlaceOrder &order)
{
    return messagejson::text({{QStringLiteral("job"), order.job}, {QStringLiteral("step"), order.step}, {QStringLiteral("attempt"), order.attempt},
        {QStringLiteral("deadlineMs"), order.deadlineMs}, {QStringLiteral("what"), order.what}, {QStringLiteral("repositoryPath"), order.repositoryPath},
        {QStringLiteral("branch"), order.branch}, {QStringLiteral("baseBranch"), order.baseBranch}, {QStringLiteral("ref"), order.ref},
        {QStringLiteral("all"), order.all}, {QStringLiteral("saved"), lifecycleSaved(order.saved)}});
}

Result<PlaceOrder> decodePlaceOrder(const QByteArray &json)
{
    auto read = messagejson::object(json, {QLatin1StringView("step"), QLatin1StringView("attempt"), QLatin1StringView("what")});
    if (!read)
        return read.error();
    PlaceOrder order;
    order.job = lifecycleText(*read, "job");
    order.step = lifecycleText(*read, "step");
    order.attempt = read->value(QLatin1StringView("attempt")).toInteger();
    order.deadlineMs = read->value(QLatin1StringView("deadlineMs")).toInteger();
    order.what = lifecycleText(*read, "what");
    order.repositoryPath = lifecycleText(*read, "repositoryPath");
    order.branch = lifecycleText(*read, "branch");
    order.baseBranch = lifecycleText(*read, "baseBranch");
    order.ref = lifecycleText(*read, "ref");
    order.all = read->value(QLatin1StringView("all")).toBool();
    order.saved = decodeSavedWork(messagejson::text(read->value(QLatin1StringView("saved")).toObject()));
    return order;
}

QByteArray encodePlaceReport(const PlaceReport &report)
{
    QJsonObject object{{QStringLiteral("job"), report.job}, {QStringLiteral("step"), report.step}, {QStringLiteral("attempt"), report.attempt},
        {QStringLiteral("note"), report.note}, {QStringLiteral("workTree"), report.workTree}, {QStringLiteral("head"), report.head}};
    messagejson::putError(object, report.error);
    if (report.saved)
        object.insert(QStringLiteral("saved"), lifecycleSaved(*report.saved));
    if (report.loss)
        object.insert(QStringLiteral("loss"), lifecycleLoss(*report.loss));
    return messagejson::text(object);
}

Result<PlaceReport> decodePlaceReport(const QByteArray &json)
{
    auto read = messagejson::object(json, {QLatin1StringView("job"), QLatin1StringView("step"), QLatin1StringView("attempt")});
    if (!read)
        return read.error();
    PlaceReport report;
    report.job = lifecycleText(*read, "job");
    report.step = lifecycleText(*read, "step");
    report.attempt = read->value(QLatin1StringView("attempt")).toInteger();
    report.error = messagejson::optionalError(*read);
    report.note = lifecycleText(*read, "note");
    report.workTree = lifecycleText(*read, "workTree");
    report.head = lifecycleText(*read, "head");
    if (read->contains(QLatin1StringView("saved")))
        report.saved = decodeSavedWork(messagejson::text(read->value(QLatin1StringView("saved")).toObject()));
    if (read->contains(QLatin1StringView("loss")))
        report.loss = lifecycleLossFrom(read->value(QLatin1StringView("loss")).toObject());
    return report;
}

} // namespace foundry::backend
