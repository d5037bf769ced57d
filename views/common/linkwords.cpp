#include "views/common/linkwords.h"

#include "views/common/minuteclock.h"

#include <QCoreApplication>

namespace foundry::views {

namespace {

QString linkText(const char *text)
{
    return QCoreApplication::translate("Link", text);
}

QString linkAsOf(const QString &words, Millis asOf, Millis now)
{
    return asOf > 0 ? linkText(QT_TRANSLATE_NOOP("Link", "%1, as of %2")).arg(words, clockTime(asOf, now)) : words;
}

} // namespace

StateLook lookOf(const LinkState &state, Millis now)
{
    switch (state.phase) {
    case LinkPhase::Starting:
        return {Icon::CircleDashed, &Colors::amber, linkAsOf(linkText(QT_TRANSLATE_NOOP("Link", "Starting the host")), state.asOf, now)};
    case LinkPhase::Connecting:
        return {Icon::CircleDashed, &Colors::amber, linkAsOf(linkText(QT_TRANSLATE_NOOP("Link", "Connecting")), state.asOf, now)};
    case LinkPhase::Live:
        return {Icon::CircleDot, &Colors::green, linkText(QT_TRANSLATE_NOOP("Link", "Live"))};
    case LinkPhase::Reconnecting: {
        const Millis wait = state.retryAt - now;
        const QString words = state.retryAt > 0 && wait > 0
            ? linkText(QT_TRANSLATE_NOOP("Link", "Reconnecting in %1 s")).arg((wait + 999) / 1000)
            : linkText(QT_TRANSLATE_NOOP("Link", "Reconnecting"));
        return {Icon::Refresh, &Colors::amber, linkAsOf(words, state.asOf, now)};
    }
    case LinkPhase::Offline:
        return {Icon::CloudOff, &Colors::amber,
            linkAsOf(linkText(QT_TRANSLATE_NOOP("Link", "Offline")), state.asOf, now)};
    case LinkPhase::Refused:
        return {Icon::Lock, &Colors::red, linkAsOf(linkText(QT_TRANSLATE_NOOP("Link", "Refused")), state.asOf, now)};
    case LinkPhase::HostFailed:
        return {Icon::CircleAlert, &Colors::red,
            linkAsOf(linkText(QT_TRANSLATE_NOOP("Link", "Host not running")), state.asOf, now)};
    }
    return {};
}

QString linkSentence(const LinkState &state)
{
    if (state.error) {
        const QString action = state.error->action;
        return action.isEmpty() ? state.error->message : state.error->message + QLatin1Char(' ') + action;
    }
    switch (state.phase) {
    case LinkPhase::Reconnecting:
        return linkText(QT_TRANSLATE_NOOP("Link", "The link to the host was lost. What you see stays; it is brought up to date when the link is back."));
    case LinkPhase::Offline:
        return linkText(QT_TRANSLATE_NOOP("Link", "The host does not answer. You can read everything that is here; new requests are kept until it is back."));
    case LinkPhase::Refused:
        return linkText(QT_TRANSLATE_NOOP("Link", "The host refused this workbench."));
    case LinkPhase::HostFailed:
        return linkText(QT_TRANSLATE_NOOP("Link", "The host program could not be started."));
    default:
        return {};
    }
}

QString whyNotNow(const LinkState &state)
{
    switch (state.phase) {
    case LinkPhase::Offline:
    case LinkPhase::Refused:
    case LinkPhase::HostFailed:
        return linkText(QT_TRANSLATE_NOOP("Link", "Possible when the host can be reached"));
    default:
        return {};
    }
}

} // namespace foundry::views
