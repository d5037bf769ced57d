#include "views/common/desktopappearance.h"

#include <QDBusConnection>
#include <QDBusMessage>
#include <QDBusPendingCallWatcher>
#include <QDBusPendingReply>
#include <QDBusVariant>

namespace foundry::views {

namespace {

constexpr int portalTimeout = 200; // ms
const QLatin1StringView portalService("org.freedesktop.portal.Desktop");
const QLatin1StringView portalPath("/org/freedesktop/portal/desktop");
const QLatin1StringView portalInterface("org.freedesktop.portal.Settings");
const QLatin1StringView portalNamespace("org.freedesktop.appearance");
const QLatin1StringView portalKey("color-scheme");
const QLatin1StringView portalConnection("foundry-appearance");

QVariant portalUnwrapped(QVariant value)
{
    // Read answers a variant in a variant.
    while (value.canConvert<QDBusVariant>())
        value = value.value<QDBusVariant>().variant();
    return value;
}

} // namespace

// Lives in the worker thread, where waiting for the bus harms nobody.
class PortalReader : public QObject {
    Q_OBJECT
public:
    ~PortalReader() override { QDBusConnection::disconnectFromBus(QString(portalConnection)); }

public Q_SLOTS:
    void start()
    {
        QDBusConnection bus = QDBusConnection::connectToBus(QDBusConnection::SessionBus, QString(portalConnection));
        if (!bus.isConnected())
            return;
        bus.connect(QString(portalService), QString(portalPath), QString(portalInterface),
            QStringLiteral("SettingChanged"), this, SLOT(settingChanged(QString,QString,QDBusVariant)));
        QDBusMessage call = QDBusMessage::createMethodCall(QString(portalService), QString(portalPath),
            QString(portalInterface), QStringLiteral("Read"));
        call << QString(portalNamespace) << QString(portalKey);
        auto *watcher = new QDBusPendingCallWatcher(bus.asyncCall(call, portalTimeout), this);
        connect(watcher, &QDBusPendingCallWatcher::finished, this, [this, watcher] {
            const QDBusPendingReply<QDBusVariant> reply = *watcher;
            if (reply.isValid())
                announce(QVariant::fromValue(reply.value()));
            watcher->deleteLater();
        });
    }
    void settingChanged(const QString &space, const QString &key, const QDBusVariant &value)
    {
        if (space == portalNamespace && key == portalKey)
            announce(QVariant::fromValue(value));
    }

Q_SIGNALS:
    void preferenceChanged(bool dark);

private:
    void announce(const QVariant &value)
    {
        // 0: no preference, 1: dark, 2: light.
        bool ok = false;
        const uint scheme = portalUnwrapped(value).toUInt(&ok);
        if (ok)
            Q_EMIT preferenceChanged(scheme == 1);
    }
};

DesktopAppearance::DesktopAppearance(QObject *parent)
    : QObject(parent)
{
    m_thread.setObjectName(QStringLiteral("appearance"));
}

DesktopAppearance::~DesktopAppearance()
{
    m_thread.quit();
    // A bus that hangs in its hello must not hold the exit of the program.
    if (!m_thread.wait(1000)) {
        m_thread.terminate();
        m_thread.wait(1000);
    }
}

void DesktopAppearance::start()
{
    if (m_thread.isRunning())
        return;
    auto *reader = new PortalReader;
    reader->moveToThread(&m_thread);
    connect(&m_thread, &QThread::started, reader, &PortalReader::start);
    connect(&m_thread, &QThread::finished, reader, &QObject::deleteLater);
    connect(reader, &PortalReader::preferenceChanged, this, &DesktopAppearance::preferenceChanged);
    m_thread.start(QThread::LowPriority);
}

} // namespace foundry::views

#include "desktopappearance.moc"
